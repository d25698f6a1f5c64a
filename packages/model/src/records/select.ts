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

/** Takes the order that is known of `before` over to `next`, which differs in one record: it need not be sorted anew. */
export function reorder(
  before: Table<Entry>,
  next: Table<Entry>,
  gone: Entry | undefined,
  come: Entry | undefined,
): void {
  const known = sorted.get(before);
  if (!known || sorted.has(next)) return;
  const made = known.slice();
  if (gone && come && gone.place === come.place) made[indexIn(made, gone)] = come;
  else {
    if (gone) made.splice(indexIn(made, gone), 1);
    if (come) made.splice(indexIn(made, come), 0, come);
  }
  sorted.set(next, made);
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
