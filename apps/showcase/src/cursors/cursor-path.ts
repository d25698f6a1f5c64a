import type { Place } from "../people/presence-port.ts";

/** Milliseconds for which a pointer that rests is shown. */
const SHOWN_MS = 5_000;
/** Least and most milliseconds that a step takes. */
const QUICKEST_MS = 40;
const SLOWEST_MS = 250;

/**
 * The way of one pointer. Places come a few times a second; between two of them it moves evenly, in the time that lay between the last two, so that it
 * arrives about when the next place comes. Times are those of `performance.now()`.
 */
export class CursorPath {
  #from: Place;
  #to: Place;
  #began: number;
  #takes = 0;

  constructor(place: Place, now: number) {
    this.#from = place;
    this.#to = place;
    this.#began = now;
  }

  /** @param glides `false`: it is there at once */
  moveTo(place: Place, now: number, glides: boolean): void {
    const wasShown = this.isShown(now);
    this.#from = { x: this.x(now), y: this.y(now) };
    this.#to = place;
    this.#takes = glides && wasShown ? Math.min(SLOWEST_MS, Math.max(QUICKEST_MS, now - this.#began)) : 0;
    this.#began = now;
  }

  x(now: number): number {
    return this.#from.x + (this.#to.x - this.#from.x) * this.#share(now);
  }

  y(now: number): number {
    return this.#from.y + (this.#to.y - this.#from.y) * this.#share(now);
  }

  /** A pointer that has rested for long is in the way of what one reads. */
  isShown(now: number): boolean {
    return now - this.#began < SHOWN_MS;
  }

  #share(now: number): number {
    return this.#takes === 0 ? 1 : Math.min(1, Math.max(0, (now - this.#began) / this.#takes));
  }
}
