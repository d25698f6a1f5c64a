import * as v from "valibot";
import { EventNameSchema } from "./messages/fields.ts";

/** A field of the payload that filters may name. */
export const FilterFieldSchema = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_]{0,63}$/));
const ScalarSchema = v.union([
  v.pipe(v.string(), v.maxLength(256)),
  v.pipe(v.number(), v.finite()),
  v.boolean(),
  v.null(),
]);
const BoundSchema = v.pipe(v.number(), v.finite());

/** What a field of the payload must be: this value, one of these, or a number from `min` to `max`. */
const ConditionSchema = v.union([
  ScalarSchema,
  v.strictObject({ in: v.pipe(v.array(ScalarSchema), v.minLength(1), v.maxLength(64)) }),
  v.pipe(
    v.strictObject({ min: v.optional(BoundSchema), max: v.optional(BoundSchema) }),
    v.check(({ min, max }) => min !== undefined || max !== undefined, "a range has a min or a max"),
  ),
]);

/**
 * The part of a channel that a subscription wants: events of these types, whose payload meets every condition. It saves
 * work and bytes; what a viewer must not see is for the channel type's `visible` to say.
 */
export const FilterSchema = v.pipe(
  v.strictObject({
    types: v.optional(v.pipe(v.array(EventNameSchema), v.minLength(1), v.maxLength(32))),
    where: v.optional(
      v.pipe(
        v.record(FilterFieldSchema, ConditionSchema),
        v.check((where) => Object.keys(where).length <= 8, "a filter has at most 8 conditions"),
      ),
    ),
  }),
  v.check(({ types, where }) => types !== undefined || where !== undefined, "a filter has types, or conditions"),
);

export type Filter = v.InferOutput<typeof FilterSchema>;
export type Condition = v.InferOutput<typeof ConditionSchema>;

/** One text for all filters that say the same, however they are written. */
export function filterKey({ types, where = {} }: Filter): string {
  const conditions = Object.entries(where).map(([field, condition]) => [
    field,
    typeof condition === "object" && condition !== null
      ? "in" in condition
        ? { in: condition.in.map((value) => JSON.stringify(value)).sort() }
        : { min: condition.min, max: condition.max }
      : condition,
  ]);
  return JSON.stringify([
    types && [...types].sort(),
    conditions.sort(([a], [b]) => ((a as string) < (b as string) ? -1 : 1)),
  ]);
}
