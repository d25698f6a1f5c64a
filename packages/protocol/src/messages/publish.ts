import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { PositionSchema } from "../position.ts";
import { ProducerIdSchema, SeqSchema } from "../producer.ts";
import { DataSchema, EventNameSchema, EventVersionSchema, FenceSchema, RequestIdSchema } from "./fields.ts";

export const PublishSchema = v.strictObject({
  type: v.literal("publish"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  event: EventNameSchema,
  /** Version of the event's schema that the client was built with. Default 1. */
  version: v.optional(EventVersionSchema, 1),
  data: DataSchema,
  producer: ProducerIdSchema,
  seq: SeqSchema,
  fence: v.optional(FenceSchema),
});

/** The publish is durable, and stands at `position`; or the command was accepted, and its events stand up to there. */
export const PublishedSchema = v.object({
  type: v.literal("published"),
  id: RequestIdSchema,
  position: PositionSchema,
  /** It was stored by an earlier attempt, and this is that attempt's outcome. */
  duplicate: v.optional(v.literal(true)),
});

export type Publish = v.InferOutput<typeof PublishSchema>;
export type Published = v.InferOutput<typeof PublishedSchema>;
