import type { Process } from "./process.ts";

/** Something that will happen, unless it is cancelled or its process is gone by then. */
export interface Entry {
  time: number;
  order: number;
  readonly owner: Process | undefined;
  action: (() => void) | undefined;
}

const settled = Promise.resolve();

/**
 * The virtual clock: one queue of entries in order of time, those of one moment in the order they were entered.
 * Between two entries every promise settles that can, and nothing else ever runs: a schedule is a function of its seed.
 */
export class Clock {
  /** Milliseconds since the schedule's start. */
  now = 0;
  /** Entries that were run. */
  steps = 0;
  readonly #heap: Entry[] = [];
  readonly #onError: (error: unknown, owner: Process | undefined) => void;
  readonly #maxSteps: number;
  #order = 0;

  /**
   * @param onError is told what an entry threw
   * @param maxSteps entries after which the schedule is given up: something goes round in circles
   */
  constructor(onError: (error: unknown, owner: Process | undefined) => void, maxSteps = 2_000_000) {
    this.#onError = onError;
    this.#maxSteps = maxSteps;
  }

  /** @param owner the process that does it: paused, it does it later; crashed, never */
  after(ms: number, owner: Process | undefined, action: () => void): Entry {
    const entry: Entry = { time: this.now + Math.max(0, ms), order: ++this.#order, owner, action };
    this.#push(entry);
    return entry;
  }

  /** Runs everything until `time`; the clock then stands there. */
  runUntil(time: number): Promise<void> {
    return new Promise((resolve) => {
      // A tick runs only when no promise is left to settle, and the reaction that asks for it makes sure of another.
      const next = () => process.nextTick(step);
      const step = () => {
        const entry = this.#take(time);
        if (!entry) {
          this.now = Math.max(this.now, time);
          resolve();
          return;
        }
        this.now = entry.time;
        this.steps++;
        try {
          entry.action?.();
        } catch (error) {
          this.#onError(error, entry.owner);
        }
        settled.then(next);
      };
      process.nextTick(step);
    });
  }

  #take(until: number): Entry | undefined {
    if (this.steps >= this.#maxSteps) {
      this.#onError(new Error(`the schedule did not end within ${this.#maxSteps} steps`), undefined);
      return undefined;
    }
    for (;;) {
      const first = this.#heap[0];
      if (!first || first.time > until) return undefined;
      this.#pop();
      const { owner } = first;
      if (first.action === undefined || (owner && !owner.alive)) continue;
      if (owner && owner.pausedUntil > first.time) {
        first.time = owner.pausedUntil;
        first.order = ++this.#order;
        this.#push(first);
        continue;
      }
      return first;
    }
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Entry;
      if (!before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      const left = heap[down];
      if (!left) break;
      const right = heap[down + 1];
      let least = left;
      if (right && before(right, left)) {
        least = right;
        down++;
      }
      if (!before(least, last)) break;
      heap[at] = least;
      at = down;
    }
    heap[at] = last;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
