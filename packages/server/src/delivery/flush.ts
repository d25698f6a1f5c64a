import type { Codec } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { Frame } from "./frame.ts";
import { Joints } from "./joints.ts";
import type { Outgoing } from "./message.ts";
import type { FlushTurn, Outbox } from "./outbox.ts";

/** A flush is followed by a pause of this many times what it took, as far as the bound allows. */
const PAUSE_SHARE = 2;

/** A pause shorter than this, in milliseconds, is none: timers are no finer. */
const LEAST_PAUSE_MS = 1;

/** Bounds of the pause after a flush, in milliseconds. */
export interface FlushBounds {
  /** The pause lasts so long at least, however short the flush was. */
  readonly leastMs: number;
  /**
   * The flush and its pause last so long at most. What comes in the pause waits for the next flush to reach it as well, which takes
   * about as long as the last one did: a flush that is long by itself gathers company enough while it lasts.
   */
  readonly mostMs: number;
}

export const FLUSH_BOUNDS: FlushBounds = { leastMs: 0, mostMs: 6 };

/**
 * One flush per connection per turn of the event loop, all connections in one go.
 *
 * What can wait (deliveries of the lanes that are not critical) waits for the pause after the flush before: nothing on a quiet
 * node, some milliseconds on a busy one. System calls are what fan-out costs, and a call that carries the events of
 * several milliseconds costs no more than one that carries one.
 */
export class Flushing implements FlushTurn {
  readonly #runtime: Runtime;
  readonly #bounds: FlushBounds;
  readonly #joints = new Joints();
  /** To be flushed at the end of this turn. */
  #due = new Set<Outbox>();
  /** To be flushed once the pause is over. */
  #held = new Set<Outbox>();
  /** Those for whom a timer runs. */
  readonly #later = new WeakSet<Outbox>();
  #scheduled = false;
  #pause: Timer | undefined;
  #pausedUntil = 0;

  constructor(runtime: Runtime, bounds: FlushBounds) {
    this.#runtime = runtime;
    this.#bounds = bounds;
  }

  mark(outbox: Outbox, canWait: boolean): void {
    if (canWait && this.#isPaused()) {
      this.#held.add(outbox);
      return;
    }
    this.#due.add(outbox);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#runtime.defer(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  markLater(outbox: Outbox, ms: number): void {
    if (this.#later.has(outbox)) return;
    this.#later.add(outbox);
    this.#runtime.timer(ms, () => {
      this.#later.delete(outbox);
      this.mark(outbox, false);
    });
  }

  join(codec: Codec, messages: readonly Outgoing[]): Frame {
    return this.#joints.join(codec, messages);
  }

  #isPaused(): boolean {
    if (this.#pause) return true;
    const left = this.#pausedUntil - this.#runtime.elapsed();
    if (left < LEAST_PAUSE_MS) return false;
    this.#pause = this.#runtime.timer(Math.ceil(left), () => {
      this.#pause = undefined;
      for (const outbox of this.#held) this.#due.add(outbox);
      this.#held.clear();
      this.#flush();
    });
    return true;
  }

  #flush(): void {
    const outboxes = this.#due;
    if (outboxes.size === 0) return;
    this.#due = new Set();
    const began = this.#runtime.elapsed();
    for (const outbox of outboxes) {
      this.#held.delete(outbox);
      try {
        outbox.flush();
      } catch (error) {
        // One connection's trouble is not the others': they are flushed all the same.
        this.#runtime.logger.error({ error }, "a connection could not be flushed");
      }
    }
    this.#joints.clear();
    const now = this.#runtime.elapsed();
    const took = now - began;
    const { leastMs, mostMs } = this.#bounds;
    const pause = Math.max(leastMs, Math.min(mostMs - took, took * PAUSE_SHARE));
    // A short flush, of answers say, does not end the pause that a long one has earned.
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
  }
}
