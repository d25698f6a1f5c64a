import { generateKeyBetween, generateNKeysBetween } from "fractional-indexing";
import type { Table } from "../table.ts";
import type { Entry } from "./entry.ts";
import { indexIn, ordered } from "./select.ts";

/** Longest text of a place. Where one would be longer, the records around it are spread out. */
export const LONGEST_PLACE = 64;

/** Most records that are spread out at once. */
const MOST_SPREAD = 256;

/** A free place, and the new places of those that make room for it. */
export interface Room {
  readonly place: string;
  readonly spread: readonly (readonly [id: string, place: string])[];
}

/** Can a text be a place? */
export function isPlace(text: string): boolean {
  if (text.length > LONGEST_PLACE) return false;
  try {
    generateKeyBetween(text, null);
    return true;
  } catch {
    return false;
  }
}

/**
 * Room for one more in a collection, without regard to the record `except`, which is to move.
 *
 * @param at after the record with this id; `null`: before all; `{ place }`: there, or next to it where it is taken; `undefined`: at the end
 * @returns `undefined` where there is none, which takes somebody who wants it so
 */
export function roomFor(
  collection: Table<Entry>,
  at: string | null | { readonly place: string } | undefined,
  except?: string,
): Room | undefined {
  const full = ordered(collection);
  const moving = except === undefined ? undefined : collection.get(except);
  const list = moving ? full.toSpliced(indexIn(full, moving), 1) : full;
  if (typeof at === "object" && at !== null) {
    // Before all that stand in this very place: their ids are not empty.
    const index = indexIn(list, { id: "", place: at.place });
    // Behind all others only by what comes after the last: nobody can use up the places at the end.
    if (index === list.length) return between(list, list.length);
    return list[index]?.place === at.place ? between(list, index + 1) : { place: at.place, spread: [] };
  }
  if (at === null) return between(list, 0);
  const before = at === undefined ? undefined : collection.get(at);
  return between(list, before ? indexIn(list, before) + 1 : list.length);
}

function between(list: readonly Entry[], index: number): Room | undefined {
  const place = generateKeyBetween(list[index - 1]?.place ?? null, list[index]?.place ?? null);
  if (place.length <= LONGEST_PLACE) return { place, spread: [] };
  for (let width = 16; width <= MOST_SPREAD; width *= 2) {
    const from = Math.max(0, index - width / 2);
    const around = list.slice(from, from + width);
    const end = from + around.length;
    const places = generateNKeysBetween(list[from - 1]?.place ?? null, list[end]?.place ?? null, around.length + 1);
    if (places.some((text) => text.length > LONGEST_PLACE)) continue;
    const [free] = places.splice(index - from, 1);
    return { place: free as string, spread: around.map(({ id }, at) => [id, places[at] as string] as const) };
  }
  return undefined;
}
