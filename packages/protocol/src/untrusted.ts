import * as v from "valibot";
import type { Codec, Encoded } from "./codec.ts";
import { TandemError } from "./errors.ts";
import { countKeys, inspect } from "./inspection.ts";
import type { Limits } from "./limits.ts";
import type { ClientMessage } from "./messages/client-message.ts";
import { ClientMessageSchema } from "./messages/client-message.ts";
import { RequestIdSchema } from "./messages/fields.ts";

/** Longest explanation of what is wrong with a message, in letters: it may quote what was sent. */
const EXPLANATION = 200;

/** A variant tries its schemas one after the other: the one that a message names is looked up instead. */
const SCHEMAS: ReadonlyMap<unknown, v.GenericSchema<unknown, ClientMessage>> = new Map(
  ClientMessageSchema.options.map((schema) => [schema.entries.type.literal, schema]),
);

/** One message of a frame from outside: what it says, or what is wrong with it and which request that was, if it told. */
export type Arrival =
  | { readonly message: ClientMessage; readonly error?: undefined }
  | { readonly message?: undefined; readonly error: TandemError; readonly id: number | undefined };

/**
 * Reads a frame that a client sent. A fault of one message is that message's: the others of the frame stand.
 *
 * @throws TandemError `bad-frame` or `too-many-messages` where the frame as a whole cannot be read
 */
export function decodeUntrusted(
  codec: Codec,
  frame: Encoded,
  limits: Pick<Limits, "depth" | "frameMessages">,
): Arrival[] {
  const spelled = { keys: 0 };
  const messages = codec.decode(frame, spelled);
  if (messages.length > limits.frameMessages) {
    throw new TandemError("too-many-messages", `A frame may hold at most ${limits.frameMessages} messages.`);
  }
  let keys = 0;
  const arrivals = messages.map((message): Arrival => {
    let counted: number | undefined;
    try {
      counted = inspect(message, limits.depth);
      return { message: parseMessage(message) };
    } catch (error) {
      if (!(error instanceof TandemError)) throw error;
      return { error, id: requestIdOf(message) };
    } finally {
      keys += counted ?? countKeys(message);
    }
  });
  // Which message gave the key twice cannot be told: the key's first value is gone. None of the frame is taken.
  if (keys < spelled.keys) {
    const error = new TandemError("bad-message", "A message of this frame gives a key twice.");
    return messages.map((message) => ({ error, id: requestIdOf(message) }));
  }
  return arrivals;
}

function parseMessage(message: unknown): ClientMessage {
  const schema = SCHEMAS.get(typeOf(message)) ?? ClientMessageSchema;
  const parsed = v.safeParse(schema, message, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const path = v.getDotPath(issue);
  const explanation = path ? `${path}: ${issue.message}` : issue.message;
  throw new TandemError("bad-message", explanation.slice(0, EXPLANATION).toWellFormed());
}

function typeOf(message: unknown): unknown {
  return typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
}

function requestIdOf(message: unknown): number | undefined {
  if (typeof message !== "object" || message === null || !("id" in message)) return undefined;
  const parsed = v.safeParse(RequestIdSchema, message.id);
  return parsed.success ? parsed.output : undefined;
}
