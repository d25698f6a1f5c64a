import type { Viewer } from "@tandem/app";
import type { Lane, Position, ResetReason } from "@tandem/protocol";
import type { Batch, Selection } from "./batch.ts";
import { Conflation } from "./conflation.ts";
import { eventsMessage } from "./coverage.ts";
import type { Outgoing } from "./message.ts";
import { single } from "./message.ts";
import type { Outbox, Puller } from "./outbox.ts";
import type { SharedEvent } from "./shared-event.ts";
import type { Next, Source, Subscriber } from "./subscriber.ts";

type State = "live" | "catching-up" | "ended";

/** Bytes of one message of conflated events, about. */
const MESSAGE_BYTES = 16_384;

/** What becomes of a subscription without room for more: left out, it catches up with the log. */
export type Overflow =
  | {
      /** It gets the newest event of each key of what it missed. */
      readonly kind: "latest";
      readonly key: (event: SharedEvent) => string;
      /** What was there when it began, up to this offset, it gets in full, however long that takes. */
      readonly replay: number;
    }
  | {
      /** Its connection is closed, once it was live. */
      readonly kind: "disconnect";
      readonly close: () => void;
    };

export interface SubscriptionOptions {
  readonly channel: string;
  /** Where it begins. */
  readonly position: Position;
  readonly lane: Lane;
  readonly source: Source;
  readonly outbox: Outbox;
  readonly viewer: Viewer;
  /** The filter, made ready; left out: everything. */
  readonly selection?: Selection | undefined;
  readonly overflow?: Overflow | undefined;
}

/**
 * One connection's reading of one channel: `live`, or `catching-up` from its position. Joining, coming back, a slow
 * reader and a hole left by the bus are all the same thing here. State is a position; nothing is queued.
 *
 * live ── no credit, or a batch that does not follow ──▸ catching-up ── at the head ──▸ live
 *
 * Where nothing of a batch is for this subscriber, nothing is sent: the position moves on, and what it has passed over is
 * told before the next events, at the head, or by `state`.
 */
export class Subscription implements Subscriber, Puller {
  readonly channel: string;
  readonly lane: Lane;
  readonly #source: Source;
  readonly #outbox: Outbox;
  readonly #viewer: Viewer;
  readonly #selection: Selection | undefined;
  readonly #overflow: Overflow | undefined;
  #state: State = "catching-up";
  #held = false;
  #position: Position;
  /** The offset up to which the client has been told what there is. */
  #told: number;
  /** What was missed for want of credit, where only the newest counts: in hand until the head is reached. */
  #missed: Conflation | undefined;

  constructor(options: SubscriptionOptions) {
    this.channel = options.channel;
    this.lane = options.lane;
    this.#position = options.position;
    this.#told = options.position.offset;
    this.#source = options.source;
    this.#outbox = options.outbox;
    this.#viewer = options.viewer;
    this.#selection = options.selection;
    this.#overflow = options.overflow;
  }

  /** Delivers nothing until it is released: whether its reader may have it is being asked for. */
  hold(): void {
    this.#held = true;
  }

  /** Reads on from where it was held. */
  release(): void {
    this.#held = false;
    if (this.#state === "catching-up") this.#outbox.wait(this);
  }

  /** Begins to read on from its position. */
  start(): void {
    this.#outbox.wait(this);
  }

  get state(): State {
    return this.#state;
  }

  /** After the last event that was queued for the client, or was not for it. */
  get position(): Position {
    return this.#position;
  }

  deliver(batch: Batch): void {
    if (this.#state !== "live") return;
    if (this.#held || batch.from !== this.#position.offset) return this.#fallBehind();
    const { message } = batch.part(this.#viewer, this.#selection);
    if (!message || this.#outbox.hasCredit(this.lane)) this.#pass(batch, message);
    else this.#overflowed();
  }

  reset(position: Position, reason: ResetReason): void {
    if (this.#state === "ended") return;
    // Found again from where it stands, once it is released.
    if (this.#held) return this.#fallBehind();
    this.#position = position;
    this.#told = position.offset;
    this.#missed = undefined;
    this.#outbox.deliver(this.lane, single({ type: "reset", channel: this.channel, position, reason }));
    this.#fallBehind();
  }

  pull(): boolean | Promise<() => boolean> {
    if (this.#state === "ended" || this.#held) return false;
    const before = this.#position;
    const next = this.#source.next(before);
    if (!(next instanceof Promise)) return this.#take(next);
    // A reset that came meanwhile has moved the position, and waits for its own turn: what was read is of the past.
    return next.then((read) => () => this.#position === before && this.#take(read));
  }

  /** Tells the client what was passed over since it was told something, so that its position does not lag behind for long. */
  tell(): void {
    if (this.#state === "ended" || this.#held || this.#missed || this.#told === this.#position.offset) return;
    if (this.#outbox.hasCredit(this.lane)) this.#cover();
    // It waits for credit as events do: a response that cannot be acknowledged ends for it.
    else if (this.#state === "live") this.#fallBehind();
  }

  end(): void {
    this.#state = "ended";
    this.#missed = undefined;
    this.#source.unsubscribe(this);
  }

  #take(next: Next): boolean {
    if (this.#state === "ended" || this.#held) return false;
    switch (next.kind) {
      case "batch":
        this.#catchUp(next.batch);
        return true;
      case "head":
        this.#hand();
        this.#missed = undefined;
        this.#cover();
        this.#state = "live";
        return false;
      case "reset":
        this.reset(next.position, next.reason);
        return false;
    }
  }

  #catchUp(batch: Batch): void {
    const { events, message } = batch.part(this.#viewer, this.#selection);
    if (!this.#missed) {
      this.#pass(batch, message);
      const overflow = this.#overflow;
      if (overflow?.kind !== "latest" || batch.to < overflow.replay || !this.#outbox.isFull(this.lane)) return;
      this.#missed = new Conflation(overflow.key);
      return;
    }
    this.#missed.add(events);
    this.#position = batch.end;
    if (this.#missed.isFull) this.#hand();
  }

  /** Goes on past a batch, with the message of what in it is for the client. */
  #pass(batch: Batch, message: Outgoing | undefined): void {
    if (message) {
      this.#cover();
      this.#outbox.deliver(this.lane, message);
      this.#told = batch.to;
    }
    this.#position = batch.end;
  }

  #cover(): void {
    const { offset } = this.#position;
    if (this.#told === offset) return;
    this.#outbox.deliver(this.lane, this.#source.covered(this.#told, this.#position));
    this.#told = offset;
  }

  /** Sends what is in hand of what was missed. */
  #hand(): void {
    const events = this.#missed?.take() ?? [];
    const { epoch } = this.#position;
    let start = 0;
    let bytes = 0;
    for (const [at, event] of events.entries()) {
      bytes += event.size;
      if (bytes < MESSAGE_BYTES && at < events.length - 1) continue;
      const to = { epoch, offset: event.stored.offset, tag: event.tag };
      this.#outbox.deliver(this.lane, eventsMessage(this.channel, this.#told, to, events.slice(start, at + 1)));
      this.#told = to.offset;
      start = at + 1;
      bytes = 0;
    }
  }

  #overflowed(): void {
    if (this.#overflow?.kind === "latest") this.#missed = new Conflation(this.#overflow.key);
    // What a closed gate or a pace holds up is not the reader's doing.
    if (this.#overflow?.kind === "disconnect" && this.#outbox.isFull(this.lane)) return this.#overflow.close();
    this.#fallBehind();
  }

  #fallBehind(): void {
    this.#state = "catching-up";
    this.#outbox.wait(this);
  }
}
