import type { AppDefinition, ChannelType } from "@tandem/app";
import type { ChannelEvent, Position, ResetReason, Start, TandemError } from "@tandem/protocol";
import { channelId, channelType } from "@tandem/protocol";
import type { Store } from "@tandem/runtime";
import type { Channel } from "../channel.ts";
import type { Client } from "../client.ts";
import type { EventsInfo, TypedEvent } from "../event.ts";
import type { Subscription } from "../subscription/handler.ts";
import { FollowingRider } from "./rider.ts";

/** An event of any channel of an application. */
type AnyEvent<A extends AppDefinition> = { [T in ChannelType<A>]: TypedEvent<A, T> }[ChannelType<A>];

export interface FollowingOptions<E = ChannelEvent> {
  /** Where each channel begins when this client first reads it. Default: now. From then on it goes on from its position. */
  readonly from?: Start | undefined;
  /** All events of one channel, in order, each once; those that came together in one call. */
  onEvents(events: readonly E[], info: EventsInfo & { readonly channel: string }): void;
  /** The history of a channel does not go on from where it was: events follow from `position`. */
  onReset?(reason: ResetReason, position: Position, info: { readonly channel: string }): void;
  /** A channel cannot be read: no right, for one. It is tried again whenever the list comes anew. */
  onError?(error: TandemError, info: { readonly channel: string }): void;
}

/** The reading of all that a user follows. */
export interface Following {
  /** The channels, as the server told them last. */
  readonly channels: Store<readonly string[]>;
  stop(): void;
}

/**
 * Reads every channel that the user follows: the user's own (`user:{id}`, `user-urgent:{id}`, `tenant:all`) and those that the
 * user or the application has added. What is added later is read from then on, what is taken away is left.
 *
 * @example
 * const inbox = following(client, {
 *   onEvents: (events, { channel }) => show(channel, events),
 * });
 */
export function following<A extends AppDefinition>(
  client: Client<A>,
  options: FollowingOptions<AnyEvent<A>>,
): Following {
  const read = new Map<string, Subscription>();
  const rider = riderOf(client);
  const update = (channels: readonly string[]) => {
    const wanted = new Set(channels);
    for (const [channel, subscription] of read) {
      if (wanted.has(channel)) continue;
      read.delete(channel);
      subscription.unsubscribe();
    }
    for (const channel of wanted) {
      const known = read.get(channel);
      if (!known || known.state.get() === "ended") read.set(channel, begin(channel));
    }
  };
  const begin = (channel: string): Subscription =>
    channelOf(client, channel).subscribe({
      from: options.from,
      onEvents: (events, info) => options.onEvents(events as readonly AnyEvent<A>[], { ...info, channel }),
      onReset: (reason, position) => options.onReset?.(reason, position, { channel }),
      onError: (error) => options.onError?.(error, { channel }),
    });
  const leave = rider.listen(update);
  return {
    channels: rider.channels,
    stop() {
      leave();
      update([]);
    },
  };
}

/**
 * Has each connection of the user, present and later ones, follow a channel. Resolves when that is durable.
 *
 * @throws TandemError (by rejection) `forbidden`, `too-many-following`; `disconnected`, or why the server could not do it, after 30 s
 * @throws RangeError (by rejection) when that is not a channel's name
 */
export async function follow<A extends AppDefinition>(
  client: Client<A>,
  type: ChannelType<A>,
  id: string,
): Promise<void> {
  const { name } = client.channel(type, id);
  await riderOf(client).changes.make("follow", name);
}

/** Takes that back. Rejects as `follow` does; `forbidden` for the channels that every connection of a user has. */
export async function unfollow<A extends AppDefinition>(
  client: Client<A>,
  type: ChannelType<A>,
  id: string,
): Promise<void> {
  const { name } = client.channel(type, id);
  await riderOf(client).changes.make("unfollow", name);
}

function riderOf<A extends AppDefinition>(client: Client<A>): FollowingRider {
  return channelOf(client, "tenant:all").ride(FollowingRider);
}

function channelOf<A extends AppDefinition>(client: Client<A>, name: string): Channel<A, ChannelType<A>> {
  return client.channel(channelType(name) as ChannelType<A>, channelId(name));
}
