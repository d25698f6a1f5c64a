import * as v from "valibot";

/** Random name of one life of a channel: a channel that is deleted and made again has another epoch. */
export const EpochSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,32}$/));

/** Sum of a channel's history up to an offset (see `chainTag`); the empty string at offset 0. */
export const TagSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{0,16}$/));

export const OffsetSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * A place in a channel's history: *after* the event at `offset` (0 is before the first event).
 *
 * Offsets are contiguous from 1 within an epoch. `tag` sums the whole history up to the offset, so that a history
 * that was lost and rewritten (a restored backup, a failover) is told apart from the one a client has seen.
 */
export const PositionSchema = v.strictObject({ epoch: EpochSchema, offset: OffsetSchema, tag: TagSchema });

export type Position = v.InferOutput<typeof PositionSchema>;

/** Are two positions the same place of the same history? */
export function samePosition(a: Position, b: Position): boolean {
  return a.epoch === b.epoch && a.offset === b.offset && a.tag === b.tag;
}
