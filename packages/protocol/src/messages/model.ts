import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { PositionSchema } from "../position.ts";
import { ProducerIdSchema, SeqSchema } from "../producer.ts";
import { DataSchema, EventVersionSchema, FenceSchema, ModelNameSchema, RequestIdSchema } from "./fields.ts";

/** Something that a model is to decide. Answered with `published` where it was accepted, else with an error; `rejected` has the model's reason. */
export const CommandSchema = v.strictObject({
  type: v.literal("command"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  model: ModelNameSchema,
  command: ModelNameSchema,
  /** Version of the model that the client was built with. Default 1. */
  version: v.optional(EventVersionSchema, 1),
  input: DataSchema,
  /** 22 random letters, the same at every attempt: what the command makes has ids that come from it, and nothing else shows it. */
  nonce: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22}$/)),
  producer: ProducerIdSchema,
  seq: SeqSchema,
  fence: v.optional(FenceSchema),
});

/**
 * Asks for a model's state, piece by piece: first without `at` and `after`, then with what the last `piece` said, until one has no `next`. Events
 * after its `position` bring it up to date.
 */
export const StateSchema = v.strictObject({
  type: v.literal("state"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  model: ModelNameSchema,
  /** The state at this position. Left out: the newest. */
  at: v.optional(PositionSchema),
  after: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(1_024))),
  /** Bytes of JSON in the piece, about. Default 16,384. */
  bytes: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1_024), v.maxValue(262_144)), 16_384),
  atLeast: v.optional(PositionSchema),
});

/** A piece of a model's state at `position`, as this viewer may hold it. */
export const PieceSchema = v.object({
  type: v.literal("piece"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  model: ModelNameSchema,
  /** Version of the model that made the state. */
  version: EventVersionSchema,
  position: PositionSchema,
  piece: DataSchema,
  /** The `after` of the next piece; left out: it was the last. */
  next: v.optional(v.string()),
});

export type Command = v.InferOutput<typeof CommandSchema>;
export type State = v.InferOutput<typeof StateSchema>;
export type StatePiece = v.InferOutput<typeof PieceSchema>;
