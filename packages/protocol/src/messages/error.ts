import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { MillisSchema, RequestIdSchema } from "./fields.ts";

/** Something was refused. `code` is one of the table in `errors.ts`. */
export const ErrorSchema = v.object({
  type: v.literal("error"),
  /** The request it answers; left out when none could be told. */
  id: v.optional(RequestIdSchema),
  code: v.string(),
  message: v.string(),
  retryable: v.boolean(),
  retryAfter: v.optional(MillisSchema),
  channel: v.optional(ChannelNameSchema),
  /** With `out-of-sequence`: the sequence number that the server waits for. With `conflict` of a list: its version by then. */
  expected: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  /** With `invalid-data`: what the schema said, at most ten. */
  issues: v.optional(v.array(v.object({ path: v.string(), message: v.string() }))),
  /** With `rejected`: the model's reason. */
  reason: v.optional(v.looseObject({ code: v.string() })),
});

export type ErrorMessage = v.InferOutput<typeof ErrorSchema>;
