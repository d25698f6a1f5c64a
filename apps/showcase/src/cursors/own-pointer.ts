import type { Place } from "../people/presence-port.ts";

/** Digits after the point: finer than a screen's pixels. */
const FINENESS = 10_000;

/**
 * Tells where the reader's pointer is, as long as it is over `area`. A finger is no pointer: it covers what it points at, and is gone between two touches.
 *
 * @param column places are told by its edges
 * @returns the call that ends it
 */
export function watchPointer(area: HTMLElement, column: HTMLElement, tell: (place: Place | null) => void): () => void {
  const ended = new AbortController();
  const options = { signal: ended.signal, passive: true };
  let told = false;
  const leave = () => {
    if (told) tell(null);
    told = false;
  };
  area.addEventListener(
    "pointermove",
    ({ pointerType, clientX, clientY }) => {
      if (pointerType === "touch") return;
      const { left, top, width, height } = column.getBoundingClientRect();
      if (width === 0 || height === 0) return;
      told = true;
      tell({ x: within((clientX - left) / width, -4, 5), y: within((clientY - top) / height, 0, 1) });
    },
    options,
  );
  area.addEventListener("pointerleave", leave, options);
  document.addEventListener("visibilitychange", () => document.hidden && leave(), options);
  return () => {
    leave();
    ended.abort();
  };
}

function within(value: number, least: number, most: number): number {
  return Math.round(Math.min(most, Math.max(least, value)) * FINENESS) / FINENESS;
}
