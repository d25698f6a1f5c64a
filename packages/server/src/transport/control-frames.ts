/** Most pings and pongs of one client in one interval. Fewer than `ws` itself would cut without a word (60). */
const MOST = 50;
/** The interval, in milliseconds. */
const INTERVAL = 10_000;

/** Counts one connection's control frames, so that a flood of them is noticed. */
export class ControlFrames {
  readonly #elapsed: () => number;
  #since: number;
  #count = 0;

  constructor(elapsed: () => number) {
    this.#elapsed = elapsed;
    this.#since = elapsed();
  }

  /** Counts one. @returns false when there were too many */
  count(): boolean {
    const now = this.#elapsed();
    if (now - this.#since >= INTERVAL) {
      this.#since = now;
      this.#count = 0;
    }
    return ++this.#count <= MOST;
  }
}
