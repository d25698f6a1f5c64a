/** Most names whose buckets are kept. Past it the least recently used goes first: its owner begins with a full one again. */
const KEPT = 20_000;

/** Who is turned away is asked to wait for this share of a full bucket at least: not to come back for every single token. */
const WORTHWHILE = 0.1;

/** A bucket after a draw: when it will be full again, and how long to wait first where it did not hold enough. */
export interface Draw {
  readonly fullAt: number;
  /** Milliseconds; 0: the tokens are there. */
  readonly wait: number;
}

/**
 * What a rate allows: a bucket is full after `periodMs` without a draw, holds `most` tokens, and gets them at a steady pace: so many
 * on average, and so many at once. A bucket is one number, the time at which it is full again.
 *
 * @param count tokens wanted; more than a full bucket holds count as a full one
 */
export function draw(fullAt: number, count: number, most: number, periodMs: number, now: number): Draw {
  const full = Math.max(fullAt, now);
  const share = Math.min(count / most, 1);
  const after = full + share * periodMs;
  // Times are fractions: what was waited for to the millisecond is there.
  if (after <= now + periodMs + 0.001) return { fullAt: after, wait: 0 };
  const worthwhile = Math.max(share, Math.min(WORTHWHILE, 1));
  return { fullAt, wait: Math.ceil(full + worthwhile * periodMs - now - periodMs) };
}

/** The buckets of one kind of owner, such as users: bounded, and those that are full again are forgotten. */
export class Buckets {
  readonly #kept: number;
  readonly #fullAt = new Map<string, number>();

  constructor(kept: number = KEPT) {
    this.#kept = kept;
  }

  get size(): number {
    return this.#fullAt.size;
  }

  /** When this one's bucket is full again; a time that has passed: it is full. */
  fullAt(name: string): number {
    return this.#fullAt.get(name) ?? 0;
  }

  keep(name: string, fullAt: number, now: number): void {
    this.#fullAt.delete(name);
    this.#fullAt.set(name, fullAt);
    for (const [oldest, full] of this.#fullAt) {
      if (full > now && this.#fullAt.size <= this.#kept) return;
      this.#fullAt.delete(oldest);
    }
  }
}
