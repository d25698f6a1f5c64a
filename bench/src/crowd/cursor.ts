/** The room that everybody is in. */
export const ROOM = "crowd:1";

/** The signal that everybody sends. */
export const CURSOR = "cursor";

/** Where a cursor is, and when it was moved there: microseconds of a clock that all processes share. */
export interface Cursor {
  readonly x: number;
  readonly y: number;
  readonly at: number;
}

/** The place of a mover after so many moves: around, in small steps. */
export function cursorOf(mover: number, moves: number, at: number): Cursor {
  const angle = mover + moves / 10;
  return { x: round(0.5 + 0.4 * Math.cos(angle)), y: round(0.5 + 0.4 * Math.sin(angle)), at };
}

function round(value: number): number {
  return Math.round(value * 10_000) / 10_000;
}

const MARK = Buffer.from('"at":');

/** Counts the cursors in a piece of JSON. */
export function countCursors(bytes: Buffer, start: number, end: number): number {
  let count = 0;
  let at = bytes.indexOf(MARK, start);
  while (at !== -1 && at < end) {
    count++;
    at = bytes.indexOf(MARK, at + MARK.length);
  }
  return count;
}
