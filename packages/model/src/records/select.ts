import type { Table } from "../table.ts";
import type { Entry } from "./entry.ts";

const everything = new WeakMap<object, readonly Entry<unknown>[]>();
const sorted = new WeakMap<object, readonly Entry<unknown>[]>();
const chosen = new WeakMap<object, WeakMap<object, readonly Entry<unknown>[]>>();

/** The records of a collection, in no order that means anything. The same array as long as the collection is unchanged. */
export function all<T>(collection: Table<Entry<T>>): readonly Entry<T>[] {
  const known = everything.get(collection);
  if (known) return known as readonly Entry<T>[];
  const made = [...collection.values()];
  everything.set(collection, made);
  return made;
}

/** The records of an ordered collection in their order. The same array as long as the collection is unchanged. */
export function ordered<T>(collection: Table<Entry<T>>): readonly Entry<T>[] {
  const known = sorted.get(collection);
  if (known) return known as readonly Entry<T>[];
  const made = [...collection.values()].sort(byPlace);
  sorted.set(collection, made);
  return made;
}

/**
 * The records that a condition holds for, in no order that means anything. The same array as long as the collection is unchanged, and the function is
 * the same one: keep it outside of what asks again.
 */
export function where<T>(
  collection: Table<Entry<T>>,
  condition: (value: T, id: string) => boolean,
): readonly Entry<T>[] {
  let known = chosen.get(collection);
  if (!known) {
    known = new WeakMap();
    chosen.set(collection, known);
  }
  const found = known.get(condition);
  if (found) return found as readonly Entry<T>[];
  const made = all(collection).filter(({ value, id }) => condition(value, id));
  known.set(condition, made);
  return made;
}

/** Takes the order that is known of `before` over to `next`, which differs in a few records: it need not be sorted anew. */
export function reorder(
  before: Table<Entry>,
  next: Table<Entry>,
  gone: readonly Entry[],
  come: readonly Entry[],
): void {
  const known = sorted.get(before);
  if (!known || sorted.has(next)) return;
  const [one, other] = [gone[0], come[0]];
  if (one && other && gone.length === 1 && one.place === other.place) {
    sorted.set(next, known.with(indexIn(known, one), other));
    return;
  }
  const indices = gone.map((entry) => indexIn(known, entry)).sort((a, b) => a - b);
  const rest = woven(
    known,
    indices.map((index) => ({ from: index, to: index + 1, put: [] })),
  );
  const places = come.toSorted(byPlace).map((entry) => {
    const index = indexIn(rest, entry);
    return { from: index, to: index, put: [entry] };
  });
  sorted.set(next, woven(rest, places));
}

/** A list in which some places, given in order, hold something else. */
function woven<T>(
  list: readonly T[],
  changes: readonly { readonly from: number; readonly to: number; readonly put: readonly T[] }[],
): readonly T[] {
  const parts: (readonly T[])[] = [];
  let at = 0;
  for (const { from, to, put } of changes) {
    parts.push(list.slice(at, from), put);
    at = to;
  }
  return ([] as readonly T[]).concat(...parts, list.slice(at));
}

/** Where a record stands among those in order, or would. */
export function indexIn(list: readonly Entry<unknown>[], entry: Pick<Entry, "id" | "place">): number {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byPlace(list[middle] as Entry, entry) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function byPlace(a: Pick<Entry, "id" | "place">, b: Pick<Entry, "id" | "place">): number {
  const [left, right] = [a.place ?? "", b.place ?? ""];
  if (left !== right) return left < right ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
