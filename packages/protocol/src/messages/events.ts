import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { EpochSchema, OffsetSchema, TagSchema } from "../position.ts";
import { DataSchema, EventNameSchema, EventVersionSchema, TimeSchema } from "./fields.ts";

/** One durable entry of a channel, as clients see it. */
export const EventSchema = v.object({
  offset: OffsetSchema,
  id: v.string(),
  type: EventNameSchema,
  /** Version of the event's schema; left out for 1. */
  version: v.optional(EventVersionSchema),
  /** Milliseconds since 1970 by the server; never falls along a channel. */
  time: TimeSchema,
  /** The user who published it; left out for the application itself. */
  author: v.optional(v.string()),
  data: DataSchema,
  /** The payload was erased: `data` is null. */
  redacted: v.optional(v.literal(true)),
  /** W3C `traceparent` of the publisher. */
  trace: v.optional(v.string()),
});

/** Events of one subscription. They are all there is for this viewer in `(from, to]`. */
export const EventsSchema = v.object({
  type: v.literal("events"),
  channel: ChannelNameSchema,
  from: OffsetSchema,
  to: OffsetSchema,
  /** Tag of the position at `to`. */
  tag: TagSchema,
  /** Stands where `from` is 0: the first event brings a channel to life and gives it its epoch. */
  epoch: v.optional(EpochSchema),
  events: v.array(EventSchema),
});

export type ChannelEvent = v.InferOutput<typeof EventSchema>;
export type Events = v.InferOutput<typeof EventsSchema>;
