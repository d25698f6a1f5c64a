import type { ChannelEvent, Position, ResetReason } from "@tandem/protocol";
import type { Channel } from "../channel/channel.ts";
import type { Subscriber } from "../delivery/subscriber.ts";

/** What a reader comes to, in order: events, or a place from which the history does not go on as it was. */
export type Reading =
  | {
      readonly kind: "events";
      readonly events: readonly ChannelEvent[];
      /** The position after each of them. */
      readonly positions: readonly Position[];
      /** The position after the last. */
      readonly position: Position;
    }
  | { readonly kind: "reset"; readonly reason: ResetReason; readonly position: Position };

/**
 * The application's own reading of a channel: from a position on, without end, at the pace at which it is asked. It is
 * a position and nothing else: what is not asked for waits in the log.
 */
export class Reader implements Subscriber, AsyncIterable<Reading> {
  readonly #channel: Channel;
  #position: Position;
  #wake: (() => void) | undefined;
  /** Something happened in the channel since it was read last. */
  #stirred = false;
  #stopped = false;

  constructor(channel: Channel, position: Position) {
    this.#channel = channel;
    this.#position = position;
    channel.subscribe(this);
  }

  /** After the last event that was read. */
  get position(): Position {
    return this.#position;
  }

  deliver(): void {
    this.#stir();
  }

  /** The node had to start the channel again. Whether this reader's own position still stands, the next reading tells. */
  reset(): void {
    this.#stir();
  }

  #stir(): void {
    this.#stirred = true;
    this.#wake?.();
  }

  /** Goes on from another position. */
  seek(position: Position): void {
    this.#position = position;
  }

  stop(): void {
    this.#stopped = true;
    this.#channel.unsubscribe(this);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Reading> {
    try {
      while (!this.#stopped) {
        const reading = await this.#read();
        if (this.#stopped) return;
        if (reading) yield reading;
        else await this.#news();
      }
    } finally {
      this.stop();
    }
  }

  async #read(): Promise<Reading | undefined> {
    this.#stirred = false;
    const next = await this.#channel.next(this.#position);
    if (next.kind === "reset") {
      this.#position = next.position;
      return next;
    }
    if (next.kind !== "batch") return undefined;
    const { epoch, to, tag, events } = next.batch;
    const position = { epoch, offset: to, tag };
    const positions = events.map((event) => ({ epoch, offset: event.stored.offset, tag: event.tag }));
    this.#position = position;
    return { kind: "events", events: events.map((event) => event.value), positions, position };
  }

  /** Resolves at the next event or reset; at once, where one came since the channel was read. */
  async #news(): Promise<void> {
    if (this.#stopped || this.#stirred) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }
}
