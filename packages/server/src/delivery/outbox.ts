import type { Codec, Encoded, Lane } from "@tandem/protocol";
import { LANES } from "@tandem/protocol";
import { CreditWindow } from "./credit-window.ts";
import type { Outgoing } from "./message.ts";
import { lengthOf, toBytes } from "./message.ts";

/** Messages are joined into frames of about this many bytes, so that slow readers acknowledge often. */
const FRAME_BYTES = 16_384;

/** The share of the window that a lane may fill: an alert still finds room where a replay has filled its own. */
const LANE_SHARE: Record<Lane, number> = { critical: 1.25, normal: 1, bulk: 0.75 };

/** The way out for bytes. The part of a connection that the outbox needs. */
export interface Outlet {
  readonly codec: Codec;
  /** Called before each flush: the last moment to purge what may not go out any more. */
  beforeFlush(): void;
  send(frame: Uint8Array): void;
  /** Milliseconds of a clock that never jumps. */
  elapsed(): number;
}

/** Something that has more to send than the window allows: asked for its next piece whenever there is room. */
export interface Puller {
  readonly lane: Lane;
  /** Queues its next piece. @returns true when it has more */
  pull(): boolean | Promise<boolean>;
}

/** Collects outboxes that have something to send, and has each flushed once, at the end of the turn. */
export interface FlushTurn {
  mark(outbox: Outbox): void;
}

/** Whether a node may hand events to anyone now: closed while it cannot learn of revocations. */
export interface Gate {
  readonly open: boolean;
}

/**
 * What one connection sends: three lanes, joined into frames and flushed once per turn, under a window of credit.
 *
 * Answers to requests go out at once: requests are bounded. Events take credit: no more than the window is on the way without
 * the client's acknowledgement. Nothing is queued past that: a subscription without credit waits here as a `Puller`
 * and reads on from the log when credit returns, so that a slow reader costs a position and not a queue.
 */
export class Outbox {
  readonly #outlet: Outlet;
  readonly #turn: FlushTurn;
  readonly #gate: Gate;
  readonly #window: CreditWindow;
  #lanes: Record<Lane, Outgoing[]> = { critical: [], normal: [], bulk: [] };
  #queued = 0;
  #waiting: Puller[] = [];
  #pulling = false;
  #closed = false;

  /** @param windowBytes events on the way without acknowledgement, before the way to the client is known */
  constructor(outlet: Outlet, turn: FlushTurn, gate: Gate, windowBytes: number) {
    this.#outlet = outlet;
    this.#turn = turn;
    this.#gate = gate;
    this.#window = new CreditWindow(windowBytes);
  }

  /** Frames handed to the transport so far. */
  get sent(): number {
    return this.#window.sent;
  }

  /** Bytes that are on the way without acknowledgement. */
  get unacknowledged(): number {
    return this.#window.onTheWay;
  }

  /** May events of this lane be queued now? */
  hasCredit(lane: Lane): boolean {
    const { size, onTheWay } = this.#window;
    return this.#gate.open && !this.#closed && onTheWay + this.#queued < size * LANE_SHARE[lane];
  }

  /** Queues a message. Goes out at the end of this turn. */
  push(lane: Lane, message: Outgoing): void {
    if (this.#closed) return;
    this.#lanes[lane].push(message);
    this.#queued += lengthOf(message.encoded(this.#outlet.codec));
    this.#turn.mark(this);
  }

  /** Asks `puller` for its pieces from now on, whenever there is room. */
  wait(puller: Puller): void {
    if (this.#closed || this.#waiting.includes(puller)) return;
    this.#waiting.push(puller);
    this.#turn.mark(this);
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
    this.#pump();
    if (this.#queued === 0) return;
    const { codec } = this.#outlet;
    let frame: Outgoing[] = [];
    let bytes = 0;
    for (const lane of LANES) {
      for (const message of this.#lanes[lane]) {
        const length = lengthOf(message.encoded(codec));
        if (frame.length > 0 && bytes + length > FRAME_BYTES) {
          this.#send(frame);
          frame = [];
          bytes = 0;
        }
        frame.push(message);
        bytes += length;
      }
      if (this.#lanes[lane].length > 0) this.#lanes[lane] = [];
    }
    this.#queued = 0;
    if (frame.length > 0) this.#send(frame);
  }

  #send(messages: readonly Outgoing[]): void {
    // A socket that is not being read is cut while it is sent to.
    if (this.#closed) return;
    const { codec } = this.#outlet;
    const [only] = messages;
    const bytes =
      messages.length === 1 && only
        ? only.frame(codec)
        : toBytes(codec.join(messages.map((message): Encoded => message.encoded(codec))));
    this.#window.send(bytes.byteLength, this.#outlet.elapsed());
    this.#outlet.send(bytes);
  }

  /** One puller at a time, the most urgent lane first, in turns within a lane. */
  #pump(): void {
    while (!this.#pulling && !this.#closed) {
      const puller = this.#nextPuller();
      if (!puller) return;
      this.#waiting.splice(this.#waiting.indexOf(puller), 1);
      const more = puller.pull();
      if (typeof more === "boolean") {
        if (more) this.#waiting.push(puller);
        continue;
      }
      this.#pulling = true;
      void more.then((hasMore) => {
        this.#pulling = false;
        if (hasMore) this.#waiting.push(puller);
        if (!this.#closed) this.#turn.mark(this);
      });
    }
  }

  #nextPuller(): Puller | undefined {
    for (const lane of LANES) {
      if (!this.hasCredit(lane)) continue;
      const puller = this.#waiting.find((candidate) => candidate.lane === lane);
      if (puller) return puller;
    }
    return undefined;
  }

  /** Looks again whether there is room for those who wait. */
  wake(): void {
    if (this.#waiting.length > 0) this.#turn.mark(this);
  }

  /** Drops what was not handed over yet, and forgets who waits. What is on the way stays counted. */
  purge(): void {
    this.#lanes = { critical: [], normal: [], bulk: [] };
    this.#queued = 0;
    this.#waiting = [];
  }

  /** The connection is gone. */
  close(): void {
    this.#closed = true;
    this.purge();
  }
}
