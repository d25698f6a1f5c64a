import { Table } from "./table.ts";

/** The newest of what came one after the other, in the fields of a model's state: older ones are forgotten there, and stay in the channel's history. */
export interface Sequence<T extends { readonly n: number }> {
  /** By id. */
  readonly items: Table<T>;
  /** Ids by number: the `n` of each item, counted from 1. */
  readonly order: Table<string>;
  /** The number of the newest that ever came. */
  readonly last: number;
}

export function emptySequence<T extends { readonly n: number }>(): Sequence<T> {
  return { items: Table.empty(), order: Table.empty(), last: 0 };
}

/** With one more; of those that are kept the oldest goes where there are more than `keep`. */
export function appended<T extends { readonly n: number }>(
  sequence: Sequence<T>,
  id: string,
  item: Omit<T, "n">,
  keep: number,
): Sequence<T> {
  const last = sequence.last + 1;
  let { items, order } = sequence;
  // Mostly one; all that are over, where more were kept once.
  for (let n = last - keep; ; n--) {
    const gone = order.get(String(n));
    if (gone === undefined) break;
    items = items.delete(gone);
    order = order.delete(String(n));
  }
  return { items: items.set(id, { ...item, n: last } as T), order: order.set(String(last), id), last };
}

type ItemOf<S> = S extends { readonly items: Table<infer T> } ? T : never;

/** With one changed; as it was, where it is not there (any more). */
export function changed<S extends { readonly items: Table<{ readonly n: number }> }>(
  state: S,
  id: string,
  change: (item: ItemOf<S>) => ItemOf<S>,
): S {
  const items = state.items as Table<ItemOf<S>>;
  const item = items.get(id);
  return item === undefined ? state : { ...state, items: items.set(id, change(item)) };
}

const sorted = new WeakMap<Table<never>, readonly unknown[]>();

/** The items in the order in which they came. The same list for the same items. */
export function inOrder<T extends { readonly n: number }>({ items }: Pick<Sequence<T>, "items">): readonly T[] {
  const key = items as unknown as Table<never>;
  const known = sorted.get(key) as readonly T[] | undefined;
  if (known) return known;
  const list = [...items.values()].sort((a, b) => a.n - b.n);
  sorted.set(key, list);
  return list;
}
