import type { Row } from "../room/rows.ts";

const LINE = 22;
/** A letter's width, on average. */
const LETTER = 7.6;
/** Around the text of a message: inside and outside its bubble. */
const BUBBLE = 16;
const BELOW = 3;
const BELOW_GROUP = 14;
const AUTHOR = 22;
const DAY = 50;

/**
 * A guess of a row's height in pixels, for rows that were never on the page. The numbers are those of `messages.css`;
 * near is enough, for rows are measured once they are there.
 */
export function estimatedHeight(row: Row | undefined, width: number): number {
  if (row === undefined) return LINE + BUBBLE + BELOW;
  const letters = Math.max(8, Math.floor((Math.min(width, 736) * 0.78 - 80) / LETTER));
  let lines = 0;
  for (const line of (row.text ?? "").split("\n")) lines += Math.max(1, Math.ceil(line.length / letters));
  const above = (row.opensDay ? DAY : 0) + (row.opensGroup && !row.own ? AUTHOR : 0);
  return above + lines * LINE + BUBBLE + (row.closesGroup ? BELOW_GROUP : BELOW);
}
