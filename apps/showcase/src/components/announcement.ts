import type { Row } from "../room/rows.ts";

/** More messages than these are counted, not read out. */
const READ_OUT = 2;
const LONGEST = 160;

/** The newest message of somebody else. */
export function newestSpoken(rows: readonly Row[]): Row | undefined {
  return rows.findLast((row) => row.confirmed && !row.own);
}

/** What a screen reader says about the messages of others after the one with the key `after`. */
export function announcement(rows: readonly Row[], after: string | undefined): string {
  const from = rows.findLastIndex((row) => row.key === after) + 1;
  const fresh = rows.slice(from).filter((row) => row.confirmed && !row.own);
  if (fresh.length <= READ_OUT) return fresh.map(sentence).join(" ");
  const names = [...new Set(fresh.map((row) => row.name))];
  const who = names.length <= READ_OUT ? names.join(" and ") : `${names.length} people`;
  return `${fresh.length} new messages from ${who}`;
}

function sentence({ name, text = "" }: Row): string {
  return `${name}: ${text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text}`;
}
