import type { Logger, Runtime, Timer } from "@tandem/runtime";
import type { Clock } from "./clock.ts";
import type { Random } from "./random.ts";

/** The wall clock at the start of every schedule. */
export const EPOCH_START = 1_760_000_000_000;

/** Longest wait that a real timer can have: a longer one fires at once, and so it does here. */
const LONGEST_TIMER = 2_147_483_647;

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/**
 * One simulated process, a node's or a client's: it can be paused, and it can crash. Its wall clock is its own; time
 * that goes by is the same for all.
 */
export class Process {
  readonly name: string;
  readonly runtime: Runtime;
  alive = true;
  /** When it began, in virtual milliseconds. */
  readonly startedAt: number;
  /** When it crashed, in virtual milliseconds. */
  endedAt = Number.POSITIVE_INFINITY;
  /** Nothing of it happens before then. */
  pausedUntil = 0;
  /** How far its wall clock is off, in milliseconds. */
  skew: number;
  readonly #clock: Clock;
  readonly #mourners: (() => void)[] = [];
  #ids: string[] = [];

  constructor(name: string, clock: Clock, random: Random, logger: Logger, skew = 0) {
    this.name = name;
    this.skew = skew;
    this.#clock = clock;
    this.startedAt = clock.now;
    const started = clock.now - random.between(0, 1_000_000);
    const ids = () => this.#ids;
    this.runtime = {
      now: () => Math.floor(EPOCH_START + clock.now + this.skew),
      elapsed: () => clock.now - started,
      timer: (ms, action) => this.#timer(ms, action),
      defer: (action) => void clock.after(0, this, action),
      random: () => random.unit(),
      randomId() {
        let text = "";
        for (let at = 0; at < 22; at++) text += LETTERS[random.whole(0, 63)];
        ids().push(text);
        return text;
      },
      logger,
    };
  }

  #timer(ms: number, action: () => void): Timer {
    const wait = ms >= 1 && ms <= LONGEST_TIMER ? ms : 1;
    const entry = this.#clock.after(wait, this, action);
    return {
      cancel() {
        entry.action = undefined;
      },
    };
  }

  /** The random ids that it draws while something is done. */
  listening<T>(action: () => T): { readonly result: T; readonly ids: readonly string[] } {
    this.#ids = [];
    return { result: action(), ids: this.#ids };
  }

  /** Stands still for a while, as a process does under a stopped machine or a long collection of garbage. */
  pause(ms: number): void {
    this.pausedUntil = Math.max(this.pausedUntil, this.#clock.now + ms);
  }

  /** Ends at once: nothing that it had begun goes on. */
  crash(): void {
    this.alive = false;
    this.endedAt = this.#clock.now;
    for (const mourner of this.#mourners.splice(0)) mourner();
  }

  /** Calls `action` when it has ended. */
  whenGone(action: () => void): void {
    this.#mourners.push(action);
  }
}
