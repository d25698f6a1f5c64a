import type { Row } from "../room/rows.ts";

const LINE = 22;
const LETTER = 7.6;
const BUBBLE = 22;
const AUTHOR = 22;
const DAY = 56;

/** A guess of a row's height in pixels, for rows that were never on the page. Near is enough: rows are measured. */
export function estimatedHeight(row: Row | undefined, width: number): number {
  if (row === undefined) return LINE + BUBBLE;
  const letters = Math.max(8, Math.floor((Math.min(width, 736) * 0.78 - 80) / LETTER));
  let lines = 0;
  for (const line of (row.text ?? "").split("\n")) lines += Math.max(1, Math.ceil(line.length / letters));
  const above = (row.opensDay ? DAY : 0) + (row.opensGroup ? (row.own ? 10 : AUTHOR + 10) : 0);
  return lines * LINE + BUBBLE + above;
}
