import type { ChannelDefinition } from "@tandem/app";
import type { JobWorker, WorkOptions } from "@tandem/model/work";
import type { ChannelEvent, FenceToken, Limits, Position, ResetReason, Start } from "@tandem/protocol";
import { bodyDigest, channelName, errorOf, isChannelName, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { PersonalChannels } from "../access/personal-channels.ts";
import type { Channel } from "../channel/channel.ts";
import type { Channels } from "../channel/channels.ts";
import type { Resumption } from "../channel/replay.ts";
import { toError, validate } from "../channel/validation.ts";
import type { Followings } from "../following/followings.ts";
import { channelKey } from "../log/key.ts";
import type { Head, Log } from "../log/log.ts";
import type { Models } from "../model/models.ts";
import type { Presence } from "../presence/presence.ts";
import { ApplicationModel } from "./application-model.ts";
import { Attendance } from "./attendance.ts";
import type { ConsumerHandler, ConsumerOptions } from "./consumer.ts";
import { Consumer } from "./consumer.ts";
import { appendOnce } from "./once.ts";
import type { Attempt } from "./publisher.ts";
import { Publisher } from "./publisher.ts";
import type { Reading } from "./reader.ts";
import { Reader } from "./reader.ts";
import type { StreamOptions } from "./stream-writer.ts";
import { StreamWriter } from "./stream-writer.ts";
import { workOn } from "./work.ts";

/** Most channels to which the application publishes at once with a producer of its own each. */
const PUBLISHERS = 10_000;

export interface ApplicationPorts {
  readonly channels: Channels;
  readonly personal: PersonalChannels;
  readonly followings: Followings;
  readonly models: Models;
  readonly presence: Presence;
  readonly log: Log;
  readonly runtime: Runtime;
  readonly limits: Limits;
}

export interface PublishOptions {
  /** Whom readers are shown as its author. Default: nobody, the application itself. */
  readonly author?: string;
  /** The version of the event's schema that `data` is of. Default: the declared one. */
  readonly version?: number;
  /** W3C `traceparent`. */
  readonly trace?: string;
  /** The fencing token of the lock under which this is written. Default: the application needs none. */
  readonly fence?: FenceToken | undefined;
  /**
   * A producer id (`mintProducer`) for this one alone: however often and at whichever node it is published under it, it takes effect once. Rejects with
   * `body-mismatch` where something else was published under it.
   */
  readonly once?: string;
}

export interface SendOptions extends PublishOptions {
  /** To the user's channel of urgent events. Default false. */
  readonly urgent?: boolean;
}

/** What an in-process subscription calls. A handler that returns a promise is waited for: the channel does not run ahead of it. */
export interface SubscriptionHandler {
  onEvents(events: readonly ChannelEvent[], position: Position): void | Promise<void>;
  /** The history does not go on as it was: begin anew from `position`. Default: goes on from there. */
  onReset?(reason: ResetReason, position: Position): void | Promise<void>;
}

/** The application's own side of one tenant: it may do everything, in the process of the server. */
export class Application {
  readonly tenant: string;
  readonly #ports: ApplicationPorts;
  readonly #publishers = new Map<string, Publisher>();

  constructor(tenant: string, ports: ApplicationPorts) {
    this.tenant = tenant;
    this.#ports = ports;
  }

  /**
   * Publishes an event. Takes effect once; resolves when it is durable.
   *
   * @param channel its full name: `room:42`
   * @throws TandemError (by rejection) `forbidden` for an undeclared type, `invalid-event`, `invalid-data`, `event-too-large`,
   *   `channel-archived`, `stale-fence`; `storage-unavailable` or `overloaded` when the log could not take it for 30 s
   */
  async publish(channel: string, event: string, data: unknown, options: PublishOptions = {}): Promise<Position> {
    const definition = this.#definition(channel);
    const version = options.version ?? definition.events.get(event)?.version ?? 1;
    const draft = { event, version, data, author: options.author, trace: options.trace };
    const verdict = await validate(definition, draft, this.#ports.limits);
    if ("refusal" in verdict) throw toError(verdict.refusal);
    const { events } = verdict;
    const { fence } = options;
    const [first] = events;
    const attempt: Attempt = {
      digest: first ? bodyDigest(first.type, first.version, first.data) : "",
      append: (open, producer, refusal) =>
        this.#ports.models.append(open, { producer, ...(refusal ? { events: [], refusal } : { events, fence }) }),
    };
    return this.#push(channel, attempt, options.once);
  }

  #push(channel: string, attempt: Attempt, once: string | undefined): Promise<Position> {
    if (once === undefined) return this.#publisher(channel).push(attempt);
    return appendOnce(attempt, once, () => this.#open(channel), this.#ports.runtime);
  }

  /** Publishes an event to one channel, or to several at once; each as `publish` does. @returns a position for each, in order */
  sendTo(
    channels: string | readonly string[],
    event: string,
    data: unknown,
    options?: PublishOptions,
  ): Promise<Position[]> {
    const names = typeof channels === "string" ? [channels] : channels;
    return Promise.all(names.map((channel) => this.publish(channel, event, data, options)));
  }

  /**
   * Publishes an event to every connection of a user, present and later ones: to the channel `user:{id}`, or `user-urgent:{id}` where it
   * is urgent. Rejects as `publish` does; `forbidden` where the application does not declare that channel type.
   */
  async sendToUser(user: string, event: string, data: unknown, options: SendOptions = {}): Promise<Position> {
    const { urgent = false, ...publishing } = options;
    return this.publish(this.#ports.personal.ofUser(user, urgent), event, data, publishing);
  }

  /** Publishes an event to every connection of the tenant: to the channel `tenant:all`. Rejects as `sendToUser` does. */
  sendToAll(event: string, data: unknown, options?: PublishOptions): Promise<Position> {
    return this.publish(this.#ports.personal.everybody, event, data, options);
  }

  /**
   * Has each connection of a user, present and later ones, subscribe to a channel, until `unfollow`. Resolves when that is durable; takes
   * effect within 2 s. Gives no right: a user who may not read the channel is refused there.
   *
   * @throws TandemError (by rejection) `forbidden` for an undeclared type, `too-many-following`; as the log does
   */
  async follow(user: string, channel: string): Promise<void> {
    this.#definition(channel);
    await this.#ports.followings.insist({ tenant: this.tenant, user }, { type: "follow", channel });
  }

  /** Takes that back. The channels that every user has (`user:{id}`, `user-urgent:{id}`, `tenant:all`) stay. */
  async unfollow(user: string, channel: string): Promise<void> {
    await this.#ports.followings.insist({ tenant: this.tenant, user }, { type: "unfollow", channel });
  }

  /** The channels that each connection of a user subscribes to. */
  following(user: string): Promise<readonly string[]> {
    return this.#ports.followings.of({ tenant: this.tenant, user });
  }

  /** @throws TandemError `forbidden` */
  #definition(channel: string): ChannelDefinition {
    const definition = this.#ports.channels.definitionOf(channel);
    if (definition && isChannelName(channel)) return definition;
    throw new TandemError("forbidden", `"${channel}" is no channel of a declared type.`);
  }

  #publisher(channel: string): Publisher {
    const known = this.#publishers.get(channel);
    if (known) return known;
    if (this.#publishers.size >= PUBLISHERS) {
      for (const [name, publisher] of this.#publishers) if (publisher.idle) this.#publishers.delete(name);
    }
    const publisher = new Publisher(() => this.#open(channel), this.#ports.runtime, this.#ports.limits.inFlight);
    this.#publishers.set(channel, publisher);
    return publisher;
  }

  #open(channel: string): Promise<Channel> {
    if (!isChannelName(channel))
      return Promise.reject(new TandemError("forbidden", `"${channel}" is no channel's name.`));
    return this.#ports.channels.open(this.tenant, channel);
  }

  /** The channel's head: where it is, what is kept of it. */
  async head(channel: string): Promise<Head> {
    const [head] = await this.#ports.log.heads([channelKey(this.tenant, channel)]);
    if (!head) throw errorOf("internal");
    return head;
  }

  /** A page of history, newest first page first; `next` is the `before` of the page before it. */
  async history(channel: string, page: { readonly before?: number; readonly limit?: number } = {}) {
    const open = await this.#open(channel);
    const { epoch, events, next } = await open.page(page.before, page.limit ?? 100, Number.POSITIVE_INFINITY);
    return { epoch, events: events.map((event) => event.value), next };
  }

  /**
   * Reads a channel in this process, from now, from a position or with the last `n` events, until stopped.
   *
   * @returns the call that stops it
   */
  async subscribe(channel: string, handler: SubscriptionHandler, from?: Start): Promise<() => void> {
    const open = await this.#open(channel);
    // The reader keeps the channel from being let go while the position is found.
    const reader = new Reader(open, open.position);
    try {
      const { position, reset } = await start(open, from);
      reader.seek(position);
      void this.#follow(reader, handler, channel, reset);
      return () => reader.stop();
    } catch (error) {
      reader.stop();
      throw error;
    }
  }

  async #follow(
    reader: Reader,
    handler: SubscriptionHandler,
    channel: string,
    reset: ResetReason | undefined,
  ): Promise<void> {
    const take = async (reading: Reading): Promise<void> => {
      try {
        if (reading.kind === "events") await handler.onEvents(reading.events, reading.position);
        else await handler.onReset?.(reading.reason, reading.position);
      } catch (error) {
        this.#ports.runtime.logger.error({ error, channel }, "a subscription's handler failed");
      }
    };
    if (reset) await take({ kind: "reset", reason: reset, position: reader.position });
    for await (const reading of reader) await take(reading);
  }

  /** Starts a durable consumer: see `Consumer`. */
  async consume(
    name: string,
    channel: string,
    handler: ConsumerHandler,
    options: ConsumerOptions = {},
  ): Promise<Consumer> {
    const consumer = new Consumer(name, await this.#open(channel), handler, options, this.#ports);
    await consumer.start();
    return consumer;
  }

  /**
   * Who is in a channel.
   *
   * @throws TandemError `forbidden` where the channel's type declares neither presence nor signals
   */
  presence(channel: string): Attendance {
    const definition = isChannelName(channel) ? this.#ports.presence.definitionOf(channel) : undefined;
    if (!definition) throw new TandemError("forbidden", `"${channel}" is no channel of a type that declares presence.`);
    return new Attendance(this.#ports.presence, this.#key(channel), definition);
  }

  /**
   * A model of a channel: its commands, its state.
   *
   * @throws TandemError `forbidden` for an undeclared type, `invalid-command` where that declares no such model
   */
  model(channel: string, name: string): ApplicationModel {
    const definition = this.#definition(channel).models.get(name);
    if (!definition) throw new TandemError("invalid-command", `"${channel}" declares no model "${name}".`);
    return new ApplicationModel(name, {
      definition: this.#definition(channel),
      models: this.#ports.models,
      runtime: this.#ports.runtime,
      open: () => this.#open(channel),
      push: (attempt, once) => this.#push(channel, attempt, once),
    });
  }

  /**
   * Works on the jobs of a channel (a model `job()`), in this process, until the worker is closed. A worker in a process of its own uses `work` of the client.
   *
   * @throws TandemError (by rejection) as `model` and `subscribe` do
   */
  work(channel: string, name: string, options: WorkOptions): Promise<JobWorker> {
    return workOn(this, channel, name, options, this.#ports.runtime);
  }

  /**
   * Begins a text that is written piece by piece, in a channel of its own (with a model `stream()`, named `stream`). What it comes to is told once, to `parent`,
   * also where this process dies; the channel goes a while after that.
   *
   * @throws TandemError (by rejection) `rejected` where that channel has been written to before; as `model` and `publish` do
   */
  stream(options: StreamOptions): Promise<StreamWriter> {
    return StreamWriter.open(this, options, this.#ports.runtime, this.#ports.limits.eventBytes);
  }

  /** Archives a channel: it can be read and not written. `false` takes that back. */
  async archive(channel: string, archived = true): Promise<void> {
    await this.#ports.log.archive(this.#key(channel), archived);
    await this.#ports.channels.changed(this.#key(channel));
  }

  /** Deletes a channel with its whole history. Its next event begins another life of it. */
  async remove(channel: string): Promise<void> {
    await this.#ports.log.remove(this.#key(channel));
    await this.#ports.channels.changed(this.#key(channel));
  }

  /** Erases the payload of an event for good; its offset stays. @returns false when there is no such event (any more) */
  async redact(channel: string, offset: number): Promise<boolean> {
    const erased = await this.#ports.log.redact(this.#key(channel), offset);
    if (erased) await this.#ports.channels.changed(this.#key(channel));
    return erased;
  }

  #key(channel: string): string {
    const colon = channel.indexOf(":");
    return channelKey(this.tenant, channelName(channel.slice(0, colon), channel.slice(colon + 1)));
  }
}

async function start(channel: Channel, from: Start | undefined): Promise<Resumption> {
  if (!from) return { position: channel.position };
  return "last" in from ? { position: await channel.back(from.last) } : channel.resume(from);
}
