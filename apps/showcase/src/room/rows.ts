import type { Delivery } from "./message.ts";
import type { Timeline } from "./timeline.ts";

/** A message as it stands on the page. Its key stays the same from the moment it is written. */
export interface Row {
  readonly key: string;
  readonly name: string;
  /** Undefined once it was erased. */
  readonly text: string | undefined;
  readonly time: number;
  /** Chooses the author's colour. */
  readonly author: string;
  /** Written by the reader, here or in another window. */
  readonly own: boolean;
  /** Is it in the log, as far as it was seen here? Drafts are not. */
  readonly confirmed: boolean;
  readonly delivery: Delivery;
  /** The first of its day. */
  readonly opensDay: boolean;
  /** The first, or the last, of several that one author wrote in a row. */
  readonly opensGroup: boolean;
  readonly closesGroup: boolean;
}

/** A pause after which the same author's next message begins a new group, in milliseconds. */
const GROUP_PAUSE = 5 * 60_000;

const DURABLE: Delivery = { kind: "durable" };

type Line = Omit<Row, "opensDay" | "opensGroup" | "closesGroup">;

/** The timeline's messages from the oldest to the newest, grouped by day and author. `self`: the reader's user. */
export function rowsOf(timeline: Timeline, self: string | undefined): readonly Row[] {
  const lines: Line[] = [];
  for (const { key, name, text, time, author } of timeline.confirmed) {
    const own = author !== undefined && author === self;
    lines.push({ key, name, text, time, author: author ?? name, own, confirmed: true, delivery: DURABLE });
  }
  for (const { key, name, text, time, delivery } of timeline.drafts) {
    lines.push({ key, name, text, time, author: self ?? name, own: true, confirmed: false, delivery });
  }
  return lines.map((line, index) => {
    const before = lines[index - 1];
    const after = lines[index + 1];
    return {
      ...line,
      opensDay: before === undefined || dayOf(before.time) !== dayOf(line.time),
      opensGroup: before === undefined || !together(before, line),
      closesGroup: after === undefined || !together(line, after),
    };
  });
}

function together(a: Line, b: Line): boolean {
  if (a.own !== b.own || a.name !== b.name || (!a.own && a.author !== b.author)) return false;
  return Math.abs(b.time - a.time) <= GROUP_PAUSE && dayOf(a.time) === dayOf(b.time);
}

/** Names the reader's calendar day. */
function dayOf(time: number): string {
  return new Date(time).toDateString();
}
