import type { CursorMove } from "../people/people.ts";
import type { Surface } from "./cursor-mark.ts";
import { CursorMark } from "./cursor-mark.ts";

/** Most pointers drawn at a time: those that moved last. */
const MOST = 100;
/** With more of them, names would cover everything: initials must do. */
const NAMED = 12;

/** Draws the others' pointers: in one loop of animation frames, which stops while none is shown. React has no part in it. */
export class CursorStage {
  readonly #column: HTMLElement;
  readonly #calm: MediaQueryList;
  readonly #resized: ResizeObserver;
  /** By device; the one that moved last at the end. */
  readonly #marks = new Map<string, CursorMark>();
  #surface: Surface = { width: 0, height: 0, spare: 0 };
  #frame: number | undefined;

  /** @param column stands in its parent as the column of messages stands in the page; the parent cuts off what is outside */
  constructor(column: HTMLElement) {
    this.#column = column;
    this.#calm = matchMedia("(prefers-reduced-motion: reduce)");
    this.#resized = new ResizeObserver(() => this.#measure());
    this.#resized.observe(column);
    if (column.parentElement) this.#resized.observe(column.parentElement);
    this.#measure();
  }

  move(moves: readonly CursorMove[]): void {
    const now = performance.now();
    for (const move of moves) {
      if (move.place === null) this.#remove(move.device);
      else this.#move(move, now);
    }
    for (const device of this.#marks.keys()) {
      if (this.#marks.size <= MOST) break;
      this.#remove(device);
    }
    this.#column.classList.toggle("cursor-crowd", this.#marks.size > NAMED);
    if (this.#marks.size > 0) this.#frame ??= requestAnimationFrame(this.#draw);
  }

  close(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#resized.disconnect();
    for (const device of [...this.#marks.keys()]) this.#remove(device);
  }

  #move(move: CursorMove, now: number): void {
    const known = this.#marks.get(move.device);
    const mark = known ?? new CursorMark(move, now);
    if (known) known.move(move, now, !this.#calm.matches);
    else this.#column.append(mark.element);
    this.#marks.delete(move.device);
    this.#marks.set(move.device, mark);
  }

  #remove(device: string): void {
    this.#marks.get(device)?.element.remove();
    this.#marks.delete(device);
  }

  #measure(): void {
    const { clientWidth: width, clientHeight: height, parentElement } = this.#column;
    this.#surface = { width, height, spare: ((parentElement?.clientWidth ?? width) - width) / 2 };
    this.#frame ??= requestAnimationFrame(this.#draw);
  }

  #draw = (now: number): void => {
    let shown = false;
    for (const mark of this.#marks.values()) if (mark.draw(now, this.#surface)) shown = true;
    this.#frame = shown ? requestAnimationFrame(this.#draw) : undefined;
  };
}
