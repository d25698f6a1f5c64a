import type { Arrival, ClientMessage, TandemError } from "@tandem/protocol";

const NOTHING: readonly Arrival[] = [];

/** Wrong messages in a row after which a connection is closed. */
const ERRORS_IN_A_ROW = 20;

export interface InboundEvents {
  /** A message that is well-formed. @returns whether the rest of its frame waits until `release` */
  take(message: ClientMessage): boolean;
  /** One that is not. `tooMany`: in a row. */
  wrong(error: TandemError, id: number | undefined, tooMany: boolean): void;
}

/** What a client says: what was in its frames, message by message. */
export class Inbound {
  readonly #events: InboundEvents;
  #errorsInARow = 0;
  #held = NOTHING;

  constructor(events: InboundEvents) {
    this.#events = events;
  }

  /** Goes on with the frame that was held up. */
  release(): void {
    const held = this.#held;
    this.#held = NOTHING;
    this.take(held);
  }

  /** Takes the messages of a frame. */
  take(arrivals: readonly Arrival[]): void {
    for (const [at, { message, error, ...about }] of arrivals.entries()) {
      if (error) {
        this.#errorsInARow++;
        const id = "id" in about ? about.id : undefined;
        this.#events.wrong(error, id, this.#errorsInARow >= ERRORS_IN_A_ROW);
        continue;
      }
      // What a client's library sends by itself says nothing about the rest of what it sends.
      if (message.type !== "received" && message.type !== "pong") this.#errorsInARow = 0;
      if (!this.#events.take(message)) continue;
      this.#held = arrivals.slice(at + 1);
      return;
    }
  }
}
