import type { AppDefinition, ChannelType, PresenceInputOf, PresenceState } from "@tandem/app";
import type { TandemError } from "@tandem/protocol";
import type { Store } from "@tandem/runtime";
import type { Channel } from "../channel.ts";
import { browserActivity } from "../transport/browser-activity.ts";
import type { ActivitySource } from "./activity.ts";
import type { PresentDevice, PresentMember } from "./members.ts";
import type { PresenceStatus, Use } from "./room.ts";
import { Rooms } from "./rooms.ts";

/** Devices of a page, where the application names no number. */
const PAGE = 100;

export interface PresenceOptions<I> {
  /** What to say of oneself. By the schema of the channel's type. */
  readonly state?: I;
  /** Be there oneself, the default; `false`: only watch. */
  readonly enter?: boolean;
  /** The state was refused; or all of it has ended: no right to read, for one (`status` is `ended`). */
  onError?(error: TandemError): void;
  /** Tells whether one is active, idle or away. Default: from the page's visibility, and input. */
  readonly activity?: ActivitySource;
}

/** Devices in a channel, in the order of their names. */
export interface RosterPage<S> {
  readonly devices: readonly (PresentDevice<S> & { readonly user: string; readonly name: string | undefined })[];
  /** The `after` of the next page; left out when there is none. */
  readonly next: string | undefined;
}

/** Who is in a channel. */
export interface Presence<I, S> {
  /** Users with their devices, in the order in which they came. In a very large room those that the channel's type shows. */
  readonly members: Store<readonly PresentMember<S>[]>;
  /** Users that are there, shown or not. */
  readonly count: Store<number>;
  readonly status: Store<PresenceStatus>;
  /** Says something else of oneself from now on: the state as it is at the call. Several updates of one turn are one. */
  update(state: I): void;
  /** A page of everybody who is there, for a room too large to be shown. @throws TandemError (by rejection) */
  page(query?: { readonly after?: string; readonly limit?: number }): Promise<RosterPage<S>>;
  /** Ends it. One has left at once, unless another use of the channel wants one to be there. */
  close(): void;
}

/**
 * Enters a channel and watches who is there, over lost connections, until `close`. Who comes back within 10 s of a lost connection has not left.
 *
 * @example
 * const here = presence(client.channel("room", "42"), { state: { page: 1 } });
 * here.members.subscribe(() => show(here.members.get()));
 */
export function presence<A extends AppDefinition, T extends ChannelType<A>>(
  channel: Channel<A, T>,
  options: PresenceOptions<PresenceInputOf<A, T>> = {},
): Presence<PresenceInputOf<A, T>, PresenceState<A, T>> {
  const { enter = true, activity = browserActivity } = options;
  const rooms = channel.ride(Rooms);
  const use: Use = { enters: enter, signals: false, onError: (error) => options.onError?.(error) };
  const room = rooms.use(channel.name, use, activity);
  if (options.state !== undefined) room.update(use, options.state);
  return {
    // The state's type is the application's word: the server holds every member to its schema.
    members: room.members as Store<readonly PresentMember<PresenceState<A, T>>[]>,
    count: room.count,
    status: room.status,
    update: (state) => room.update(use, state),
    async page({ after, limit = PAGE } = {}) {
      const { members, next } = await rooms.page(channel.name, after, limit);
      return { devices: members as unknown as RosterPage<PresenceState<A, T>>["devices"], next };
    },
    close: () => room.remove(use),
  };
}
