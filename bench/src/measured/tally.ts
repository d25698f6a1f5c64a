import { isPayload, madeAt, nextPayload, numberAt, PAYLOAD_BYTES, seqOf, sourceOf } from "./payload.ts";

/** Hears of a payload: its number, and when it was made (`clockMicros`). */
export type Heard = (seq: number, made: number) => void;

/**
 * Counts the payloads that one receiver gets of one channel. Each is looked at: one that is not the one after its source's
 * one before (lost, doubled or out of order) is told.
 */
export class Tally {
  readonly #heard: Heard | undefined;
  readonly #wrong: (error: Error) => void;
  /** The last number of each source. */
  readonly #last: number[] = [];
  #count = 0;
  /** Where payloads were found last: from the message's start to the first, and from one to the next. */
  #head = 0;
  #stride = PAYLOAD_BYTES;

  constructor(wrong: (error: Error) => void, heard?: Heard) {
    this.#wrong = wrong;
    this.#heard = heard;
  }

  /** Payloads so far. */
  get count(): number {
    return this.#count;
  }

  take(bytes: Buffer, start: number, end: number): void {
    let at = this.#find(bytes, start, end, start + this.#head);
    if (at === -1) return;
    this.#head = at - start;
    while (at !== -1) {
      const number = numberAt(bytes, at);
      const source = sourceOf(number);
      const seq = seqOf(number);
      const last = this.#last[source] ?? 0;
      if (seq !== last + 1) this.#wrong(new Error(`a receiver got payload ${seq} after ${last}`));
      this.#last[source] = seq;
      this.#count++;
      this.#heard?.(seq, madeAt(bytes, at));
      const next = this.#find(bytes, at + 1, end, at + this.#stride);
      if (next !== -1) this.#stride = next - at;
      at = next;
    }
  }

  /** The next payload; most stand where the ones before let expect it. */
  #find(bytes: Buffer, from: number, end: number, expected: number): number {
    if (expected + PAYLOAD_BYTES - 1 <= end && isPayload(bytes, expected)) return expected;
    return nextPayload(bytes, from, end);
  }
}
