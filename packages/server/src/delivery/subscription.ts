import type { Viewer } from "@tandem/app";
import type { Lane, Position, ResetReason } from "@tandem/protocol";
import type { Batch } from "./batch.ts";
import { single } from "./message.ts";
import type { Outbox, Puller } from "./outbox.ts";
import type { Next, Source, Subscriber } from "./subscriber.ts";

type State = "live" | "catching-up" | "ended";

/**
 * One connection's reading of one channel: `live`, or `catching-up` from its position. Joining, coming back, a slow
 * reader and a hole left by the bus are all the same thing here. State is a position; nothing is queued.
 *
 * live ── no credit, or a batch that does not follow ──▸ catching-up ── at the head ──▸ live
 */
export class Subscription implements Subscriber, Puller {
  readonly channel: string;
  readonly lane: Lane;
  readonly #source: Source;
  readonly #outbox: Outbox;
  readonly #viewer: Viewer;
  #state: State = "catching-up";
  #position: Position;

  constructor(channel: string, position: Position, lane: Lane, source: Source, outbox: Outbox, viewer: Viewer) {
    this.channel = channel;
    this.lane = lane;
    this.#position = position;
    this.#source = source;
    this.#outbox = outbox;
    this.#viewer = viewer;
  }

  /** Begins to read on from its position. */
  start(): void {
    this.#outbox.wait(this);
  }

  get state(): State {
    return this.#state;
  }

  /** After the last event that was queued for the client. */
  get position(): Position {
    return this.#position;
  }

  deliver(batch: Batch): void {
    if (this.#state !== "live") return;
    if (batch.from === this.#position.offset && this.#outbox.hasCredit(this.lane)) this.#queue(batch);
    else this.#fallBehind();
  }

  reset(position: Position, reason: ResetReason): void {
    if (this.#state === "ended") return;
    this.#position = position;
    this.#outbox.deliver(this.lane, single({ type: "reset", channel: this.channel, position, reason }));
    this.#fallBehind();
  }

  pull(): boolean | Promise<boolean> {
    if (this.#state === "ended") return false;
    const before = this.#position;
    const next = this.#source.next(before);
    if (!(next instanceof Promise)) return this.#take(next);
    // A reset that came meanwhile has moved the position, and waits for its own turn: what was read is of the past.
    return next.then((read) => this.#position === before && this.#take(read));
  }

  end(): void {
    this.#state = "ended";
  }

  #take(next: Next): boolean {
    if (this.#state === "ended") return false;
    switch (next.kind) {
      case "batch":
        this.#queue(next.batch);
        return true;
      case "head":
        this.#state = "live";
        return false;
      case "reset":
        this.reset(next.position, next.reason);
        return false;
    }
  }

  #queue(batch: Batch): void {
    this.#position = { epoch: batch.epoch, offset: batch.to, tag: batch.tag };
    this.#outbox.deliver(this.lane, batch.message(this.#viewer));
  }

  #fallBehind(): void {
    this.#state = "catching-up";
    this.#outbox.wait(this);
  }
}
