import { Table } from "../table.ts";

/** A text that is the same for states that are the same: tables and objects by their keys, and what is `undefined` left out, as JSON does. */
export function canonical(value: unknown): string {
  const text = JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Table) return { "~table": [...part].sort(byKey) };
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(byKey));
  });
  return text ?? "undefined";
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Where a value is not what JSON can say, and how: `data.items[2]: undefined`. `undefined`: it is. */
export function notJson(value: unknown, path: string): string | undefined {
  if (value === null || typeof value === "string" || typeof value === "boolean") return undefined;
  if (typeof value === "number") return Number.isFinite(value) ? undefined : `${path}: ${value}`;
  if (typeof value !== "object") return `${path}: ${typeof value}`;
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      const found = notJson(item, `${path}[${at}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `${path}: not a plain object`;
  for (const [key, item] of Object.entries(value)) {
    const found = notJson(item, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Freezes a value with all that it holds, tables' entries too: what changes it throws. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Table) {
    for (const item of value.values()) frozen(item);
    return value;
  }
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const item of Object.values(value)) frozen(item);
  return value;
}

/** As JSON brings it to the other side. */
export function sentOver<T>(value: T): T {
  return (value === undefined ? undefined : JSON.parse(JSON.stringify(value))) as T;
}
