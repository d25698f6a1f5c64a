import type { Conflict } from "@tandem/client";
import type { NameOf } from "../people/names.ts";

/** A conflict as it stands on the page: what the reader wanted, and what is there. */
export interface ConflictRow {
  readonly key: string;
  /** What has happened, as a sentence. */
  readonly words: string;
  readonly mine: string;
  readonly theirs: string;
  /** What it is called to put the reader's own in its place; undefined: it cannot be. */
  readonly restore: string | undefined;
}

/** @param cards those of the board now */
export function conflictRow(
  { path, mine, theirs, by, at, restore }: Conflict,
  cards: readonly { readonly id: string; readonly title: string }[],
  nameOf: NameOf,
): ConflictRow {
  const [, id = "", field] = path;
  const title = cards.find((card) => card.id === id)?.title ?? titleOf(theirs);
  const who = nameOf(by);
  const key = `${path.join("/")}@${at}:${JSON.stringify(mine)}`;
  const own = restore && "Restore mine";
  switch (field) {
    case "title":
      return {
        key,
        words: `${who} changed this title before yours came in.`,
        mine: textOf(mine),
        theirs: textOf(theirs),
        restore: own,
      };
    case "done":
      return {
        key,
        words: `${who} changed “${title}” before you did.`,
        mine: doneWords(mine),
        theirs: doneWords(theirs),
        restore: own,
      };
    case "place":
      return {
        key,
        words: `${who} moved “${title}” before you did.`,
        mine: "Where you put it",
        theirs: "Where it is now",
        restore: restore && "Move it anyway",
      };
    default:
      return {
        key,
        words: `${who} changed this card before you did.`,
        mine: mine === null ? "Removed" : titleOf(mine),
        theirs: titleOf(theirs),
        restore: restore && (mine === null ? "Remove it anyway" : "Restore mine"),
      };
  }
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function titleOf(card: unknown): string {
  return typeof card === "object" && card !== null && "title" in card ? textOf(card.title) : "";
}

function doneWords(done: unknown): string {
  return done === true ? "Done" : "Not done";
}
