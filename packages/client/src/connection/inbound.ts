import type { Encoded, FrameCodec, ServerMessage } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Check } from "./link.ts";

export const text: Check = (value) => typeof value === "string";
const flag: Check = (value) => typeof value === "boolean";
export const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
export const positive: Check = (value) => count(value) && value !== 0;
export const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
export const object =
  (fields: Record<string, Check>): Check =>
  (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.entries(fields).every(([field, check]) => check((value as Record<string, unknown>)[field]));
export const list =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

export const position = object({ epoch: text, offset: count, tag: text });
const events = list(object({ offset: count, id: text, type: text, time: count }));

/** Messages of what applications take in beside the client itself: riders bring their own checks. */
type Beside =
  | "watching"
  | "unwatched"
  | "entered"
  | "left"
  | "members"
  | "roster-page"
  | "signals"
  | "unsignalled"
  | "bookmark"
  | "followed"
  | "unfollowed"
  | "following"
  | "piece";

/** The fields of each message that this client relies on: validators would be half of its size. */
const MESSAGES: Record<Exclude<ServerMessage["type"], Beside>, Check> & Partial<Record<string, Check>> = {
  welcome: object({
    id: positive,
    connection: text,
    user: text,
    tenant: text,
    name: maybe(text),
    time: count,
    expires: maybe(count),
    device: maybe(text),
    following: maybe(object({ version: count, channels: list(text) })),
    limits: object({
      frameBytes: positive,
      frameMessages: positive,
      eventBytes: positive,
      inFlight: positive,
      requests: positive,
      historyPage: positive,
      pingMs: positive,
      pongMs: positive,
    }),
  }),
  subscribed: object({ id: positive, channel: text, position, head: count, reset: maybe(text) }),
  unsubscribed: object({ id: maybe(positive), channel: text }),
  reset: object({ channel: text, position, reason: text }),
  events: object({ channel: text, from: count, to: count, tag: text, epoch: maybe(text), events }),
  published: object({ id: positive, position, duplicate: maybe(flag) }),
  page: object({ id: positive, epoch: text, events, next: maybe(count) }),
  error: object({
    id: maybe(positive),
    code: text,
    message: text,
    retryable: flag,
    retryAfter: maybe(count),
    channel: maybe(text),
    expected: maybe(count),
    reason: maybe(object({ code: text })),
  }),
  closing: object({ code: text, retryAfter: count }),
  ping: object({}),
  pong: object({ time: maybe(count) }),
};

/**
 * The messages of a frame from the server. Types that nobody here takes are passed over.
 *
 * @throws TandemError `bad-frame` where the frame or any message of it is malformed
 */
export function readFrame(
  codec: FrameCodec,
  frame: Encoded,
  checkOf: (type: string) => Check | undefined,
): ServerMessage[] {
  return codec.decode(frame).filter((message): message is ServerMessage => {
    const type = typeof message === "object" && message !== null && "type" in message ? message.type : undefined;
    if (typeof type !== "string") throw new TandemError("bad-frame", "The server sent a message without a type.");
    const check = Object.hasOwn(MESSAGES, type) ? MESSAGES[type] : checkOf(type);
    if (!check) return false;
    if (!check(message)) {
      throw new TandemError("bad-frame", `The server sent a malformed message: ${type}.`);
    }
    return true;
  });
}
