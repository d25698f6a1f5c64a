import type { ChannelEvent, Position, ResetReason } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import type { Log } from "../log/log.ts";
import { UNBORN } from "../log/log.ts";
import type { Reading } from "./reader.ts";
import { Reader } from "./reader.ts";

/** Longest wait between two attempts at one event, in milliseconds. */
const RETRY_CAP_MS = 60_000;

/** Handles one event. At least once: an event whose handling was not stored as done comes again after a restart. */
export type ConsumerHandler = (event: ChannelEvent, attempt: number) => void | Promise<void>;

export interface ConsumerOptions {
  /** Where a consumer begins that has no stored position: with the oldest event that is kept (default), or the next one. */
  readonly from?: "oldest" | "now";
  /** Attempts at one event before it is given to `onFailed` and passed over. Default: no end. */
  readonly attempts?: number;
  /** Told of an event that was given up. */
  onFailed?(event: ChannelEvent, error: unknown): void | Promise<void>;
  /** Told when the history does not go on from the stored position (trimmed, deleted, restored). Default: goes on from the oldest. */
  onReset?(reason: ResetReason, position: Position): void | Promise<void>;
}

/**
 * A durable consumer: a named reader of one channel whose position is stored, for the application's own side effects.
 * Each event is handled in order, at least once, again after a growing wait while its handler fails. One consumer of a name at a time.
 */
export class Consumer {
  readonly name: string;
  readonly #channel: Channel;
  readonly #handler: ConsumerHandler;
  readonly #options: ConsumerOptions;
  readonly #log: Log;
  readonly #runtime: Runtime;
  #reader: Reader | undefined;
  #position: Position | undefined;
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(
    name: string,
    channel: Channel,
    handler: ConsumerHandler,
    options: ConsumerOptions,
    ports: { readonly log: Log; readonly runtime: Runtime },
  ) {
    this.name = name;
    this.#channel = channel;
    this.#handler = handler;
    this.#options = options;
    this.#log = ports.log;
    this.#runtime = ports.runtime;
  }

  /** After the last event that was handled and stored as done. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Begins from the stored position. Rejects when the log cannot be read. */
  async start(): Promise<void> {
    const stored = await this.#log.loadConsumer(this.name, this.#channel.key);
    this.#position = stored ? await this.#resume(stored) : await this.#beginning();
    this.#reader = new Reader(this.#channel, this.#position);
    this.#running = this.#run(this.#reader);
  }

  async #resume(stored: Position): Promise<Position> {
    const { position, reset } = await this.#channel.resume(stored);
    if (!reset) return position;
    await this.#options.onReset?.(reset, position);
    return this.#channel.back(Number.MAX_SAFE_INTEGER);
  }

  #beginning(): Promise<Position> {
    if (this.#options.from === "now") return Promise.resolve(this.#channel.position);
    if (this.#channel.head.epoch === UNBORN) return Promise.resolve(this.#channel.position);
    return this.#channel.back(Number.MAX_SAFE_INTEGER);
  }

  /** Stops after the event in hand. What was handled is stored when this resolves. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#reader?.stop();
    await this.#running;
  }

  async #run(reader: Reader): Promise<void> {
    for await (const reading of reader) {
      await this.#take(reading);
      if (this.#stopped) return;
    }
  }

  async #take(reading: Reading): Promise<void> {
    if (reading.kind === "reset") {
      await this.#options.onReset?.(reading.reason, reading.position);
      await this.#store(reading.position);
      return;
    }
    const { epoch } = reading.position;
    for (const [at, event] of reading.events.entries()) {
      if (this.#stopped) return;
      if (!(await this.#handle(event))) return;
      const last = at === reading.events.length - 1;
      await this.#store(last ? reading.position : await this.#positionAfter(epoch, event));
    }
  }

  async #positionAfter(epoch: string, event: ChannelEvent): Promise<Position> {
    const tag = this.#channel.recent.tagAt(event.offset);
    if (tag !== undefined) return { epoch, offset: event.offset, tag };
    const read = await this.#log.read(this.#channel.key, event.offset, { events: 1, bytes: 1 });
    return { epoch, offset: event.offset, tag: read.kind === "run" ? read.tagBefore : "" };
  }

  /** @returns false when it was stopped before the event was handled */
  async #handle(event: ChannelEvent): Promise<boolean> {
    const { attempts = Number.POSITIVE_INFINITY, onFailed } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#handler(event, attempt);
        return true;
      } catch (error) {
        this.#runtime.logger.warn(
          { error, consumer: this.name, event: event.id, attempt },
          "a consumer's handler failed",
        );
        if (attempt >= attempts) {
          await onFailed?.(event, error);
          return true;
        }
        await this.#wait(attempt);
        if (this.#stopped) return false;
      }
    }
  }

  /** Stores the position, however long that takes: without it the event would only come again. */
  async #store(position: Position): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#log.saveConsumer({ name: this.name, channel: this.#channel.key, position });
        this.#position = position;
        return;
      } catch (error) {
        this.#runtime.logger.warn({ error, consumer: this.name }, "a consumer's position could not be stored");
        if (this.#stopped) return;
        await this.#wait(attempt);
      }
    }
  }

  #wait(attempt: number): Promise<void> {
    const ms = fullJitter(attempt, this.#runtime.random(), 500, RETRY_CAP_MS);
    return new Promise((resolve) => this.#runtime.timer(ms, resolve));
  }
}
