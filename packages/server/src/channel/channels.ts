import type { AppDefinition, ChannelDefinition } from "@tandem/app";
import { channelType, errorOf } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { BusMessage } from "../bus/bus.ts";
import type { BusLine } from "../bus/line.ts";
import { channelKey, nameOf } from "../log/key.ts";
import type { ChannelKey, Log } from "../log/log.ts";
import type { ChannelPorts } from "./channel.ts";
import { Channel } from "./channel.ts";
import type { RecentBounds } from "./recent.ts";
import type { Prepare } from "./trimming.ts";
import { Trimming } from "./trimming.ts";

/**
 * The heads of all live channels are read this often, in milliseconds, whatever the bus says: everyone is at the head within five
 * seconds, also where what is new is not for a reader, who is told so a second later.
 */
const HEADS_MS = 3_500;

/** Heads that could not be read are asked for again after this, in milliseconds. */
const RETRY_MS = 500;

/** Channels whose heads are read in one query. */
const HEADS_BATCH = 500;

/** A channel that nobody uses is let go after two looks at the heads. */
const IDLE_LOOKS = 2;

/** Most channels that a node keeps live. */
const LIVE_CHANNELS = 100_000;

interface Loading {
  readonly channel: Promise<Channel>;
  /** Something was said of the channel while it was being loaded: what was loaded may be old. */
  touched: boolean;
}

/**
 * The channels that are live on this node. A channel is loaded at its first use and let go when nobody uses it. What the bus says
 * goes to its channel; wherever something may have been missed, the heads of all live channels are read in few queries.
 */
export class Channels {
  readonly #app: AppDefinition;
  readonly #ports: ChannelPorts;
  readonly #trimming: Trimming;
  readonly #live = new Map<ChannelKey, Channel>();
  readonly #loading = new Map<ChannelKey, Loading>();
  readonly #idle = new Map<ChannelKey, number>();
  readonly #watchers = new Map<ChannelKey, () => void>();
  #timer: Timer | undefined;
  #retry: Timer | undefined;
  #looking = false;
  #lookAgain = false;
  #closed = false;

  constructor(app: AppDefinition, log: Log, line: BusLine, runtime: Runtime, recent: RecentBounds) {
    this.#app = app;
    line.listen({ message: (message) => this.#receive(message), doubt: () => void this.#lookAtHeads() });
    this.#ports = { log, runtime, recent, send: (message) => line.send(message) };
    this.#trimming = new Trimming(this.#ports, (key) => this.definitionOf(nameOf(key))?.retention);
  }

  /** Has `prepare` called before a channel is trimmed. */
  beforeTrims(prepare: Prepare): void {
    this.#trimming.prepareBy(prepare);
  }

  start(): void {
    this.#trimming.start();
    this.#schedule();
  }

  /** The declared type of a channel, or `undefined`. */
  definitionOf(name: string): ChannelDefinition | undefined {
    const type = channelType(name);
    return Object.hasOwn(this.#app.channels, type) ? this.#app.channels[type] : undefined;
  }

  /** The channel if it is live. */
  live(tenant: string, name: string): Channel | undefined {
    return this.#live.get(channelKey(tenant, name));
  }

  /**
   * The channel, loaded if need be.
   *
   * @throws TandemError (by rejection) `forbidden` when its type is not declared, `overloaded`, `storage-unavailable`
   */
  open(tenant: string, name: string): Promise<Channel> {
    const key = channelKey(tenant, name);
    const live = this.#live.get(key);
    if (live) {
      // Whoever opens it may take a moment to subscribe: it does not count as idle meanwhile.
      this.#idle.delete(key);
      return Promise.resolve(live);
    }
    const loading = this.#loading.get(key);
    if (loading) return loading.channel;
    const definition = this.definitionOf(name);
    if (!definition) return Promise.reject(errorOf("forbidden"));
    if (this.#live.size + this.#loading.size >= LIVE_CHANNELS) {
      return Promise.reject(errorOf("overloaded", { retryAfter: 1_000 }));
    }
    const { promise, resolve } = Promise.withResolvers<Channel>();
    this.#loading.set(key, { channel: promise, touched: false });
    resolve(this.#load(key, definition));
    return promise;
  }

  async #load(key: ChannelKey, definition: ChannelDefinition): Promise<Channel> {
    try {
      const { head, events } = await this.#ports.log.page(key, undefined, Math.ceil(this.#ports.recent.events / 2));
      const channel = new Channel(key, definition, this.#ports, head, events);
      const touched = this.#loading.get(key)?.touched;
      this.#live.set(key, channel);
      if (this.#closed) channel.close();
      else if (touched) await channel.catchUp();
      return channel;
    } finally {
      this.#loading.delete(key);
    }
  }

  /** The channel's row was changed by this node, but for an append: everyone looks at it again. */
  async changed(key: ChannelKey): Promise<void> {
    this.#ports.send({ kind: "changed", channel: key });
    this.#touch(key);
    await this.#look([key]);
  }

  /** Has `listener` called when another node says that a channel of the server's own has changed. */
  watch(key: ChannelKey, listener: () => void): void {
    this.#watchers.set(key, listener);
  }

  #receive(message: BusMessage): void {
    if (message.kind !== "events" && message.kind !== "changed") return;
    this.#watchers.get(message.channel)?.();
    this.#touch(message.channel);
    const channel = this.#live.get(message.channel);
    if (!channel) return;
    if (message.kind === "events") channel.receive(message);
    else void this.#look([message.channel]);
  }

  /** What is being loaded of it may be old. */
  #touch(key: ChannelKey): void {
    const loading = this.#loading.get(key);
    if (loading) loading.touched = true;
  }

  #schedule(): void {
    this.#timer = this.#ports.runtime.timer(HEADS_MS, () => {
      this.#letGoIdle();
      void this.#lookAtHeads();
      this.#schedule();
    });
  }

  #letGoIdle(): void {
    for (const [key, channel] of this.#live) {
      const looks = channel.idle ? (this.#idle.get(key) ?? 0) + 1 : 0;
      if (looks > IDLE_LOOKS) {
        channel.close();
        this.#live.delete(key);
        this.#idle.delete(key);
      } else if (looks > 0) this.#idle.set(key, looks);
      else this.#idle.delete(key);
    }
  }

  /** Reads the heads of all live channels. One look at a time; a doubt during one asks for another after it. */
  async #lookAtHeads(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    while (this.#lookAgain && !this.#closed) {
      this.#lookAgain = false;
      for (const loading of this.#loading.values()) loading.touched = true;
      const keys = [...this.#live.keys()];
      for (let at = 0; at < keys.length; at += HEADS_BATCH) await this.#look(keys.slice(at, at + HEADS_BATCH));
    }
    this.#looking = false;
  }

  async #look(keys: readonly ChannelKey[]): Promise<void> {
    try {
      for (const head of await this.#ports.log.heads(keys)) {
        const channel = this.#live.get(head.channel);
        channel?.observe(head);
        if (channel) this.#trimming.consider(channel);
      }
    } catch (error) {
      this.#ports.runtime.logger.warn({ error }, "the heads of the live channels could not be read");
      this.#retry ??= this.#ports.runtime.timer(RETRY_MS, () => {
        this.#retry = undefined;
        void this.#lookAtHeads();
      });
    }
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#retry?.cancel();
    this.#trimming.stop();
    for (const channel of this.#live.values()) channel.close();
    this.#live.clear();
  }
}
