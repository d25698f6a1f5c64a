import type { Codec, Lane } from "@tandem/protocol";
import { LANES } from "@tandem/protocol";
import { CreditWindow } from "./credit-window.ts";
import type { Frame } from "./frame.ts";
import type { Outgoing } from "./message.ts";
import { Pace } from "./pace.ts";

/** Messages are joined into frames of about this many bytes, so that slow readers acknowledge often. */
const FRAME_BYTES = 16_384;

/** The share of the window that a lane may fill: an alert still finds room where a replay has filled its own. */
const LANE_SHARE: Record<Lane, number> = { critical: 1.25, normal: 1, bulk: 0.75 };

/** The list of those who wait, where nobody does. */
const NOBODY: Puller[] = [];

/** The way out for bytes. The part of a connection that the outbox needs. */
export interface Outlet {
  readonly codec: Codec;
  /** Called before each flush: the last moment to purge what may not go out any more. */
  beforeFlush(): void;
  /** Takes one frame. */
  send(frame: Frame): void;
  /** All frames of this flush were taken. `delivered`: there was more in them than answers. */
  flushed(delivered: boolean): void;
  /** Somebody has more to send, and only the client's acknowledgement can make room for it. */
  stalled(): void;
  /** Milliseconds of a clock that never jumps. */
  elapsed(): number;
}

/** Something that has more to send than the window allows: asked for its next piece whenever there is room. */
export interface Puller {
  readonly lane: Lane;
  /** The share of the lane's room that it may fill. Default 1. */
  readonly share?: number;
  /**
   * Queues its next piece. @returns true when it has more; where the piece has to be read first, what then queues it. That is not called
   * where nothing may be delivered any more by then: it is asked anew when it may.
   */
  pull(): boolean | Promise<() => boolean>;
}

/** Collects outboxes that have something to send, and has each flushed once. */
export interface FlushTurn {
  /** Flushes at the end of this turn; or, where that `canWait` and flushes come often, a few milliseconds later. */
  mark(outbox: Outbox, canWait: boolean): void;
  /** Flushes after `ms` milliseconds. */
  markLater(outbox: Outbox, ms: number): void;
  /** A frame of several messages, shared by all who are sent the same ones in this turn. */
  join(codec: Codec, messages: readonly Outgoing[]): Frame;
}

/** What an outbox may send. */
export interface OutboxBounds {
  /** Bytes of events on the way without acknowledgement, before the way to the client is known. */
  readonly windowBytes: number;
  /** Bytes a second on average; 0: no bound. */
  readonly bytesPerSecond: number;
}

/** Whether a node may hand events to anyone now: closed while it cannot learn of revocations. */
export interface Gate {
  readonly open: boolean;
}

/**
 * What one connection sends: three lanes, joined into frames and flushed once per turn, under a window of credit.
 *
 * Answers to requests go out at once: requests are bounded. Deliveries take credit: no more than the window is on the way without
 * the client's acknowledgement. Nothing is queued past that: a subscription without credit waits here as a `Puller`
 * and reads on from the log when credit returns, so that a slow reader costs a position and not a queue.
 */
export class Outbox {
  readonly #outlet: Outlet;
  readonly #turn: FlushTurn;
  readonly #gate: Gate;
  readonly #window: CreditWindow;
  readonly #pace: Pace | undefined;
  /** By lane, in the order of `LANES`; made when there is something to queue: most connections are idle. */
  #lanes: Outgoing[][] | undefined;
  #queued = 0;
  #delivers = false;
  /** There are deliveries in what is queued. */
  #owes = false;
  #waiting: Puller[] = NOBODY;
  #pulling = false;
  #closed = false;

  constructor(outlet: Outlet, turn: FlushTurn, gate: Gate, { windowBytes, bytesPerSecond }: OutboxBounds) {
    this.#outlet = outlet;
    this.#turn = turn;
    this.#gate = gate;
    this.#window = new CreditWindow(windowBytes);
    this.#pace = bytesPerSecond > 0 ? new Pace(bytesPerSecond, outlet.elapsed()) : undefined;
  }

  /** Frames handed to the transport so far. */
  get sent(): number {
    return this.#window.sent;
  }

  /** Bytes that are on the way without acknowledgement. */
  get unacknowledged(): number {
    return this.#window.onTheWay;
  }

  /** Bytes of the oldest frame among them. */
  get oldest(): number {
    return this.#window.oldest;
  }

  /** Does somebody wait for room? */
  get isAwaited(): boolean {
    return this.#waiting.length > 0;
  }

  /** May something of this lane be queued now? `share`: of the lane's room, for what gives way to others. */
  hasCredit(lane: Lane, share = 1): boolean {
    return this.#gate.open && !this.#closed && !this.isFull(lane, share) && this.#wait === 0;
  }

  /** Has the client left so much unacknowledged that this share of the lane's part of the window is used up? */
  isFull(lane: Lane, share = 1): boolean {
    const { size, onTheWay } = this.#window;
    return onTheWay + this.#queued >= size * LANE_SHARE[lane] * share;
  }

  #isStalled(): boolean {
    if (this.#waiting.length === 0 || this.#pulling || this.#closed || !this.#gate.open) return false;
    return this.#wait === 0 && this.#nextPuller() === undefined;
  }

  /** Milliseconds until the pace allows more deliveries. */
  get #wait(): number {
    return this.#pace?.wait(this.#outlet.elapsed(), this.#queued) ?? 0;
  }

  /**
   * Queues an answer, or what else is due at once. Goes out at the end of this turn.
   *
   * @param isNews it counts as delivered: a client that waits for news is to have it now
   */
  push(lane: Lane, message: Outgoing, isNews = false): void {
    if (this.#closed) return;
    this.#queue(lane, message);
    if (isNews) this.#delivers = true;
    this.#turn.mark(this, false);
  }

  /**
   * Queues a delivery, for which there was credit. Goes out with the next flush; a critical one at the end of this turn.
   *
   * @param isNews a client that waits for news is to have it now
   */
  deliver(lane: Lane, message: Outgoing, isNews = true): void {
    if (this.#closed) return;
    this.#queue(lane, message);
    this.#owes = true;
    if (isNews) this.#delivers = true;
    this.#turn.mark(this, lane !== "critical");
  }

  #queue(lane: Lane, message: Outgoing): void {
    this.#lanes ??= LANES.map(() => []);
    this.#lanes[LANES.indexOf(lane)]?.push(message);
    this.#queued += message.length(this.#outlet.codec);
  }

  /** Asks `puller` for its pieces from now on, whenever there is room. */
  wait(puller: Puller): void {
    if (this.#closed || this.#waiting.includes(puller)) return;
    this.#line(puller);
    this.#turn.mark(this, false);
  }

  #line(puller: Puller): void {
    if (this.#waiting === NOBODY) this.#waiting = [];
    this.#waiting.push(puller);
  }

  /**
   * The client has processed `frames` frames in all.
   *
   * @returns how many of them are new; `undefined` when that many were never sent, or it counts backwards
   */
  acknowledge(frames: number): number | undefined {
    const fresh = this.#window.acknowledge(frames, this.#outlet.elapsed(), this.#waiting.length > 0);
    this.wake();
    return fresh;
  }

  /** Lets the pullers queue what there is room for, then hands everything queued to the transport. Called by the turn. */
  flush(): void {
    if (this.#closed) return;
    this.#outlet.beforeFlush();
    // The process may have stood still since it was queued: what the gate let through then may be told no more now.
    if (this.#owes && !this.#gate.open) return;
    this.#pump();
    this.#flushQueued();
    if (this.#isStalled()) this.#outlet.stalled();
  }

  /** Hands over what is queued, and asks nobody for more: the connection is about to end in good order. */
  finish(): void {
    this.#waiting = NOBODY;
    if (this.#owes && !this.#gate.open) this.purge();
    this.#flushQueued();
  }

  #flushQueued(): void {
    const lanes = this.#lanes;
    if (!lanes || this.#closed) return;
    const delivered = this.#delivers;
    this.#lanes = undefined;
    this.#queued = 0;
    this.#delivers = false;
    this.#owes = false;
    const { codec } = this.#outlet;
    let frame: Outgoing[] = [];
    let bytes = 0;
    for (const messages of lanes) {
      for (const message of messages) {
        const length = message.length(codec);
        if (frame.length > 0 && bytes + length > FRAME_BYTES) {
          this.#send(frame);
          frame = [];
          bytes = 0;
        }
        frame.push(message);
        bytes += length;
      }
    }
    this.#send(frame);
    this.#outlet.flushed(delivered);
  }

  #send(messages: readonly Outgoing[]): void {
    const { codec } = this.#outlet;
    const [first] = messages;
    if (!first) return;
    const frame = messages.length === 1 ? first.frame(codec) : this.#turn.join(codec, messages);
    const now = this.#outlet.elapsed();
    this.#window.send(frame.payload.byteLength, now);
    this.#pace?.take(frame.payload.byteLength, now);
    this.#outlet.send(frame);
  }

  /** One puller at a time, the most urgent lane first, in turns within a lane. */
  #pump(): void {
    while (!this.#pulling && !this.#closed) {
      const puller = this.#nextPuller();
      if (!puller) return this.#waitForPace();
      this.#waiting.splice(this.#waiting.indexOf(puller), 1);
      if (this.#waiting.length === 0) this.#waiting = NOBODY;
      const more = puller.pull();
      if (typeof more === "boolean") {
        if (more) this.#line(puller);
        continue;
      }
      this.#pulling = true;
      void more.then((queue) => {
        this.#pulling = false;
        if (this.#closed) return;
        if (!this.#gate.open || queue()) this.#line(puller);
        this.#turn.mark(this, false);
      });
    }
  }

  #nextPuller(): Puller | undefined {
    for (const lane of LANES) {
      if (!this.hasCredit(lane)) continue;
      const puller = this.#waiting.find((waiting) => waiting.lane === lane && this.hasCredit(lane, waiting.share));
      if (puller) return puller;
    }
    return undefined;
  }

  /** Credit comes back with the client's acknowledgements; the pace comes back by itself. */
  #waitForPace(): void {
    const wait = this.#waiting.length > 0 ? this.#wait : 0;
    if (wait > 0) this.#turn.markLater(this, wait);
  }

  /** Looks again whether there is room for those who wait, and for what is queued. */
  wake(): void {
    if (this.#waiting.length > 0 || this.#owes) this.#turn.mark(this, false);
  }

  /** Drops what was not handed over yet, and forgets who waits. What is on the way stays counted. */
  purge(): void {
    this.#lanes = undefined;
    this.#queued = 0;
    this.#delivers = false;
    this.#owes = false;
    this.#waiting = NOBODY;
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.purge();
  }
}
