import { Table } from "@tandem/model";

/** A state as text: the same for states that are the same, whatever they were made by. */
export function textOf(state: unknown): string {
  return JSON.stringify(state, (_key, value: unknown) => {
    if (value instanceof Table) return { table: [...(value as Table<unknown>)].sort(([a], [b]) => (a < b ? -1 : 1)) };
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Where two texts begin to differ, for people. */
export function difference(left: string, right: string): string {
  let at = 0;
  while (at < left.length && left[at] === right[at]) at++;
  const from = Math.max(0, at - 60);
  return `…${left.slice(from, at + 80)}… and …${right.slice(from, at + 80)}…`;
}
