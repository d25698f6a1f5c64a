import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { EpochSchema, OffsetSchema, PositionSchema } from "../position.ts";
import { EventSchema } from "./events.ts";
import { RequestIdSchema } from "./fields.ts";

/** A page of what was, newest first page first: the `limit` events before offset `before` (default: from the head). */
export const HistorySchema = v.strictObject({
  type: v.literal("history"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  before: v.optional(OffsetSchema),
  limit: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(10_000)),
  atLeast: v.optional(PositionSchema),
});

/** The page, in order of offset. `next` is the `before` of the page before it; left out when there is none. */
export const PageSchema = v.object({
  type: v.literal("page"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  epoch: EpochSchema,
  events: v.array(EventSchema),
  next: v.optional(OffsetSchema),
});

export type History = v.InferOutput<typeof HistorySchema>;
export type Page = v.InferOutput<typeof PageSchema>;
