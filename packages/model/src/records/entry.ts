import type { EventInfo } from "../model.ts";

/** Who changed something (`null`: the application itself), and when, in milliseconds since 1970. */
export type Change = readonly [by: string | null, at: number];

/** A record of a collection. */
export interface Entry<T = Fields> {
  readonly id: string;
  readonly value: T;
  /** Of an ordered collection: where it stands. Texts that compare as the records do. */
  readonly place?: string;
  /** Who made it. */
  readonly made: Change;
  /** Who changed a field last; those that are as they were made are left out. Of fields that are gone the newest are kept. */
  readonly changes?: Readonly<Record<string, Change>>;
  /** Who moved it last; left out: it stands where it was made. */
  readonly moved?: Change;
}

/** The fields of a record: JSON values. */
export type Fields = Readonly<Record<string, unknown>>;

export function changeBy({ author, time }: EventInfo): Change {
  return [author ?? null, time];
}

/** Who changed a record's field last: who made it, where nobody has since. */
export function changeOf(entry: Entry<unknown>, field: string): Change {
  return own(entry.changes, field) ?? entry.made;
}

/** The newest change of a record. */
export function newestOf(entry: Entry<unknown>): Change {
  return Object.values(entry.changes ?? {}).reduce((a, b) => (b[1] > a[1] ? b : a), entry.made);
}

/** Fields that are gone of which is known who took them away. */
const GONE = 32;

/** Who changed what of a record of this value, with some changes more. */
export function withChanges(before: Entry["changes"], more: Readonly<Record<string, Change>>, value: Fields) {
  const changes = { ...before, ...more };
  const gone = Object.keys(changes).filter((field) => !Object.hasOwn(value, field));
  if (gone.length <= GONE) return changes;
  const since = (field: string) => changes[field]?.[1] ?? 0;
  gone.sort((a, b) => since(a) - since(b));
  const forgotten = new Set(gone.slice(0, gone.length - GONE));
  return Object.fromEntries(Object.entries(changes).filter(([field]) => !forgotten.has(field)));
}

/** A record's value of this name: never what objects inherit. */
export function own<V>(values: Readonly<Record<string, V>> | undefined, name: string): V | undefined {
  return values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
}

/** A copy with some fields changed, and some taken away. */
export function patched(value: Fields, fields: Fields, clear: readonly string[]): Fields {
  const gone = new Set(clear);
  return Object.fromEntries(Object.entries({ ...value, ...fields }).filter(([name]) => !gone.has(name)));
}

/** Are two JSON values the same? Objects are, whatever the order of their keys. */
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b) || (a === 0 && b === 0)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), b as Record<string, unknown>];
  if (left.length !== Object.keys(b).length) return false;
  return left.every(([name, value]) => Object.hasOwn(right, name) && equal(value, right[name]));
}
