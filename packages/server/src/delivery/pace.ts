/** A pace allows this much at once, in milliseconds of it. */
const BURST_MS = 250;

/** Pace is waited for at least this long, in milliseconds: it is not asked for every byte. */
const LEAST_WAIT_MS = 20;

/** A token bucket of bytes: the bandwidth that one connection may take. May be overdrawn by one flush, and is paid back first. */
export class Pace {
  readonly #perMs: number;
  #tokens: number;
  #at: number;

  /** @param now `runtime.elapsed()`, in milliseconds, as every `now` here */
  constructor(bytesPerSecond: number, now: number) {
    this.#perMs = bytesPerSecond / 1_000;
    this.#tokens = this.#perMs * BURST_MS;
    this.#at = now;
  }

  /** Bytes were sent. */
  take(bytes: number, now: number): void {
    this.#refill(now);
    this.#tokens -= bytes;
  }

  /** Milliseconds until something may be sent beside `queued` bytes that will be; 0: now. */
  wait(now: number, queued: number): number {
    this.#refill(now);
    const missing = queued - this.#tokens;
    return missing < 0 ? 0 : Math.max(LEAST_WAIT_MS, Math.ceil(missing / this.#perMs));
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#perMs * BURST_MS, this.#tokens + (now - this.#at) * this.#perMs);
    this.#at = now;
  }
}
