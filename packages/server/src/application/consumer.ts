import type { ChannelEvent, Position, ResetReason } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import type { Log } from "../log/log.ts";
import { UNBORN } from "../log/log.ts";
import { Insistence } from "./insistence.ts";
import type { Reading } from "./reader.ts";
import { Reader } from "./reader.ts";

/** Between two attempts at one event. */
const WAITS = { first: 500, longest: 60_000 };

/** Handles one event. At least once: an event whose handling was not stored as done comes again after a restart. */
export type ConsumerHandler = (event: ChannelEvent, attempt: number) => void | Promise<void>;

export interface ConsumerOptions {
  /** Where a consumer begins that has no stored position: with the oldest event that is kept (default), or the next one. */
  readonly from?: "oldest" | "now";
  /** Attempts at one event before it is given to `onFailed` and passed over. Default: no end. */
  readonly attempts?: number;
  /** Told of an event that was given up. Called again, after a growing wait, until it takes it. */
  onFailed?(event: ChannelEvent, error: unknown): void | Promise<void>;
  /**
   * Told when the history does not go on from where the consumer stands (trimmed, deleted, restored): it goes on from the
   * oldest event that is kept. Called again, after a growing wait, until it takes it.
   */
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
  readonly #insistence: Insistence;
  #reader: Reader | undefined;
  #position: Position | undefined;
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
    this.#insistence = new Insistence(ports.runtime, WAITS);
  }

  /** After the last event that was handled and stored as done. */
  get position(): Position | undefined {
    return this.#position;
  }

  /**
   * Begins from the stored position; where there is none, one is stored, so that whatever comes from then on is handled, also if the
   * process ends before the first event. Rejects when the log cannot be read, or written.
   */
  async start(): Promise<void> {
    // The reader keeps the channel from being let go while the position is found.
    const reader = new Reader(this.#channel, this.#channel.position);
    try {
      const stored = await this.#log.loadConsumer(this.name, this.#channel.key);
      const { position, reset } = stored ? await this.#channel.resume(stored) : await this.#beginning();
      if (!stored) await this.#log.saveConsumer({ name: this.name, channel: this.#channel.key, position });
      reader.seek(position);
      this.#position = stored ?? position;
      this.#reader = reader;
      this.#running = this.#run(reader, reset && { kind: "reset", reason: reset, position });
    } catch (error) {
      reader.stop();
      throw error;
    }
  }

  async #beginning(): Promise<{ readonly position: Position; readonly reset?: undefined }> {
    const { head, position } = this.#channel;
    return { position: this.#options.from === "now" || head.epoch === UNBORN ? position : await this.#oldest() };
  }

  #oldest(): Promise<Position> {
    return this.#channel.back(Number.MAX_SAFE_INTEGER);
  }

  /** Stops after the event in hand. What was handled is stored when this resolves, if the log can be written. */
  async stop(): Promise<void> {
    this.#insistence.stop();
    this.#reader?.stop();
    await this.#running;
  }

  async #run(reader: Reader, first: Reading | undefined): Promise<void> {
    if (first) await this.#take(reader, first);
    for await (const reading of reader) {
      await this.#take(reader, reading);
      if (this.#insistence.stopped) return;
    }
  }

  async #take(reader: Reader, reading: Reading): Promise<void> {
    if (reading.kind === "reset") {
      const { reason, position } = reading;
      await this.#insist("its onReset failed", () => this.#options.onReset?.(reason, position));
      await this.#insist("the oldest event could not be found", async () => reader.seek(await this.#oldest()));
      if (!this.#insistence.stopped) await this.#store(reader.position);
      return;
    }
    for (const [at, event] of reading.events.entries()) {
      if (this.#insistence.stopped || !(await this.#handle(event))) return;
      await this.#store(reading.positions[at] ?? reading.position);
    }
  }

  /** @returns false when it was stopped before the event was handled */
  async #handle(event: ChannelEvent): Promise<boolean> {
    const { attempts = Number.POSITIVE_INFINITY, onFailed } = this.#options;
    let attempt = 0;
    let failure: unknown;
    const given = await this.#insist("its handler failed", async () => {
      attempt++;
      try {
        await this.#handler(event, attempt);
        failure = undefined;
      } catch (error) {
        failure = { error };
        if (attempt < attempts) throw error;
      }
    });
    if (!given || !isFailure(failure)) return given;
    const { error } = failure;
    this.#warn(error, "its handler failed for the last time");
    return this.#insist("its onFailed failed", () => onFailed?.(event, error));
  }

  /** Stores the position, however long that takes: without it the event would only come again. */
  async #store(position: Position): Promise<void> {
    await this.#insist("its position could not be stored", async () => {
      await this.#log.saveConsumer({ name: this.name, channel: this.#channel.key, position });
      this.#position = position;
    });
  }

  /** Does it until it succeeds. @returns false when the consumer was stopped before it did */
  #insist(failure: string, action: () => void | Promise<void>): Promise<boolean> {
    return this.#insistence.on(action, (error) => this.#warn(error, failure));
  }

  #warn(error: unknown, failure: string): void {
    this.#runtime.logger.warn(
      { error, consumer: this.name, channel: this.#channel.key, failure },
      "a consumer had to stop and try again",
    );
  }
}

function isFailure(failure: unknown): failure is { readonly error: unknown } {
  return failure !== undefined;
}
