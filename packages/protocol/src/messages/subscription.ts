import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { FilterSchema } from "../filter.ts";
import { OffsetSchema, PositionSchema } from "../position.ts";
import { LaneSchema, RequestIdSchema } from "./fields.ts";

/** Where a subscription begins: now (left out), after a position, or with the last `n` events. */
const StartSchema = v.union([
  PositionSchema,
  v.strictObject({ last: v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(10_000)) }),
]);

export const SubscribeSchema = v.strictObject({
  type: v.literal("subscribe"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  from: v.optional(StartSchema),
  /** The node catches up to this position before it answers: a client reads what it wrote. */
  atLeast: v.optional(PositionSchema),
  /** Default: the priority of the channel's type. */
  lane: v.optional(LaneSchema),
  /** Default: every event. The ranges of `events` cover what was left out. */
  filter: v.optional(FilterSchema),
});

export const UnsubscribeSchema = v.strictObject({
  type: v.literal("unsubscribe"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

/**
 * Why a channel's history does not go on from the position a client brought: another `epoch`, `trimmed` by retention, a
 * `rewritten` history, or one that ends before the position (`ahead`).
 */
const ResetReasonSchema = v.picklist(["epoch", "trimmed", "rewritten", "ahead"]);

export type ResetReason = v.InferOutput<typeof ResetReasonSchema>;

/** The subscription stands: `events` follow from `position`. With `reset`, what the client holds is to be fetched anew. */
export const SubscribedSchema = v.object({
  type: v.literal("subscribed"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  position: PositionSchema,
  /** Offset of the newest event when this was answered: events up to it are replay. */
  head: OffsetSchema,
  reset: v.optional(ResetReasonSchema),
});

/** A standing subscription cannot go on without a gap: it begins anew at `position`. */
export const ResetSchema = v.object({
  type: v.literal("reset"),
  channel: ChannelNameSchema,
  position: PositionSchema,
  reason: ResetReasonSchema,
});

export const UnsubscribedSchema = v.object({
  type: v.literal("unsubscribed"),
  /** Left out when the server ended the subscription by itself (rights were taken back). */
  id: v.optional(RequestIdSchema),
  channel: ChannelNameSchema,
});

export type Start = v.InferOutput<typeof StartSchema>;
export type Subscribe = v.InferOutput<typeof SubscribeSchema>;
export type Unsubscribe = v.InferOutput<typeof UnsubscribeSchema>;
export type Subscribed = v.InferOutput<typeof SubscribedSchema>;
export type Reset = v.InferOutput<typeof ResetSchema>;
export type Unsubscribed = v.InferOutput<typeof UnsubscribedSchema>;
