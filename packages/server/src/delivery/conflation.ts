import type { SharedEvent } from "./shared-event.ts";

/** Bytes of events that are in hand at most, about: past them, they go out before more is read. */
const BYTES = 65_536;

/** What a subscriber missed of a channel where only the newest event of each key counts. */
export class Conflation {
  readonly #key: (event: SharedEvent) => string;
  /** In order of offset. */
  readonly #newest = new Map<string, SharedEvent>();
  #bytes = 0;

  constructor(key: (event: SharedEvent) => string) {
    this.#key = key;
  }

  get isFull(): boolean {
    return this.#bytes >= BYTES;
  }

  /** Takes the next events of the channel. */
  add(events: readonly SharedEvent[]): void {
    for (const event of events) {
      const key = this.#key(event);
      this.#bytes += event.size - (this.#newest.get(key)?.size ?? 0);
      this.#newest.delete(key);
      this.#newest.set(key, event);
    }
  }

  /** Hands over what is left of them, in order. */
  take(): SharedEvent[] {
    const events = [...this.#newest.values()];
    this.#newest.clear();
    this.#bytes = 0;
    return events;
  }
}
