import * as v from "valibot";
import { MillisSchema, TimeSchema } from "./fields.ts";

/** Are you there? Either side may ask; the other answers `pong` at once. */
export const PingSchema = v.strictObject({ type: v.literal("ping") });

/** I am. The server's carries its clock. */
export const PongSchema = v.strictObject({ type: v.literal("pong"), time: v.optional(TimeSchema) });

/**
 * Credit: how many frames of this connection the client has processed, counted from its start. The server keeps at
 * most `windowBytes` on the way beyond it.
 */
export const ReceivedSchema = v.strictObject({
  type: v.literal("received"),
  frames: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** The server will close this connection: come back after `retryAfter` milliseconds. */
export const ClosingSchema = v.object({
  type: v.literal("closing"),
  code: v.string(),
  retryAfter: MillisSchema,
});

export type Ping = v.InferOutput<typeof PingSchema>;
export type Pong = v.InferOutput<typeof PongSchema>;
export type Received = v.InferOutput<typeof ReceivedSchema>;
export type Closing = v.InferOutput<typeof ClosingSchema>;
