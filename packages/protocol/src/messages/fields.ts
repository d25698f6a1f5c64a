import * as v from "valibot";

/** A request's id: chosen by the client, answered once, free to be used again after its answer. */
export const RequestIdSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Milliseconds since 1970, by the clock of whoever sends it. */
export const TimeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** A length of time in milliseconds. */
export const MillisSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(86_400_000));

/** Any value that the codec carries. What may be in it is the concern of the channel's schema. */
export const DataSchema = v.unknown();

/** The lane of a subscription: its replay, live events and control messages share it. */
export const LaneSchema = v.picklist(["critical", "normal", "bulk"]);

export type Lane = v.InferOutput<typeof LaneSchema>;

/** The lanes in the order in which they are served. */
export const LANES: readonly Lane[] = ["critical", "normal", "bulk"];

/** A declared event type: `message`, `order.placed`. */
export const EventNameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/));

/** The name of a model in its channel, or of one of its commands. A model's events are called `{model}.{event}`. */
export const ModelNameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_-]{0,29}$/));

/** Who writes under a lock shows its fencing token: the write is refused where the lock has a newer one. */
export const FenceSchema = v.strictObject({
  /** `{model}/{lock}`. */
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(160)),
  token: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

export type FenceToken = v.InferOutput<typeof FenceSchema>;

/** The version of an event type's schema, from 1. */
export const EventVersionSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000));
