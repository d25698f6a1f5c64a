/** Letters of a line that are kept. */
const LONGEST = 300;

/**
 * What happened, in order: always as a running hash, by which two runs of one seed are compared; as text only when it
 * is asked for, which costs time.
 */
export class Trace {
  readonly lines: string[] = [];
  readonly #keep: number;
  readonly #until: number;
  #low = 0x811c9dc5 | 0;
  #high = 0x2545f491 | 0;

  /**
   * @param keep lines of text kept, the newest; 0: none
   * @param until virtual time after which no more text is kept
   */
  constructor(keep = 0, until = Number.POSITIVE_INFINITY) {
    this.#keep = keep;
    this.#until = until;
  }

  /** Takes something that happened into the hash. */
  note(time: number, what: string): void {
    this.#number(time);
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < what.length; at++) {
      const unit = what.charCodeAt(at);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ unit, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.#low = low;
    this.#high = high;
  }

  /** Takes bytes that were delivered into the hash. */
  bytes(time: number, bytes: Uint8Array): void {
    this.#number(time);
    let low = this.#low;
    let high = this.#high;
    for (let at = 0; at < bytes.length; at++) {
      const unit = bytes[at] as number;
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ unit, 0x5bd1e995);
      high ^= high >>> 15;
    }
    this.#low = low;
    this.#high = high;
  }

  /** Adds a line of text, when text is kept; `line` is made only then. */
  say(time: number, line: () => string): void {
    if (this.#keep === 0 || time > this.#until) return;
    const text = line();
    this.lines.push(
      `${(time / 1000).toFixed(4).padStart(9)}  ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`,
    );
    if (this.lines.length > 2 * this.#keep) this.lines.splice(0, this.lines.length - this.#keep);
  }

  /** 16 hexadecimal digits. */
  get hash(): string {
    const hex = (word: number) => (word >>> 0).toString(16).padStart(8, "0");
    return hex(this.#low) + hex(this.#high);
  }

  #number(time: number): void {
    const millis = Math.floor(time);
    this.#low = Math.imul(this.#low ^ millis, 0x01000193);
    this.#high = Math.imul(this.#high ^ Math.floor((time - millis) * 0x1000_0000), 0x5bd1e995);
  }
}
