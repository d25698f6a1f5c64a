import type { Condition, Filter } from "./filter.ts";

/** What a filter looks at. */
export interface Filterable {
  readonly type: string;
  /** Null once it was erased. */
  readonly data?: unknown;
}

/** Makes a filter ready: is this event one of those that it asks for? Pure, and the same on both sides. */
export function matcherOf({ types, where }: Filter): (event: Filterable) => boolean {
  const conditions = Object.entries(where ?? {});
  return (event) =>
    (!types || types.includes(event.type)) &&
    (conditions.length === 0 ||
      conditions.every(([field, condition]) =>
        meets((event.data as Record<string, unknown> | null)?.[field], condition),
      ));
}

function meets(value: unknown, condition: Condition): boolean {
  if (typeof condition !== "object" || condition === null) return value === condition;
  if ("in" in condition) return condition.in.includes(value as never);
  const { min, max } = condition;
  return typeof value === "number" && !((min as number) > value) && !((max as number) < value);
}
