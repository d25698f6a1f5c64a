/** Milliseconds after the last letter for which one still counts as typing. */
const PAUSE_MS = 4_000;
/** Milliseconds after which it is said again that one is typing, to those who may have missed it. */
const AGAIN_MS = 3_000;

/** Tells the others that the reader is typing: again and again while they are, and once when they are not any more. */
export class OwnTyping {
  readonly #tell: (typing: boolean) => void;
  #pause: ReturnType<typeof setTimeout> | undefined;
  #told: number | undefined;

  constructor(tell: (typing: boolean) => void) {
    this.#tell = tell;
  }

  /** The field has changed: `text` stands in it now. */
  typed(text: string): void {
    if (text.trim() === "") return this.stop();
    const now = performance.now();
    if (this.#told === undefined || now - this.#told >= AGAIN_MS) {
      this.#told = now;
      this.#tell(true);
    }
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.stop(), PAUSE_MS);
  }

  stop(): void {
    clearTimeout(this.#pause);
    if (this.#told === undefined) return;
    this.#told = undefined;
    this.#tell(false);
  }
}
