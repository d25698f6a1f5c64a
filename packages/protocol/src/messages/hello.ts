import * as v from "valibot";
import { LimitsSchema } from "../limits.ts";
import { RequestIdSchema, TimeSchema } from "./fields.ts";
import { FollowingListSchema, ListVersionSchema } from "./following.ts";
import { DeviceSchema } from "./presence.ts";

const TokenSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(8192));

/** Secret of a guest, kept by the client: the same secret is the same guest, so that its publishes stay idempotent. */
const GuestSchema = v.strictObject({
  secret: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22,64}$/)),
  name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(80))),
});

/** One client instance (a tab, a process), by a secret of its own: it claims its places in presence again by it. */
const InstanceSchema = v.strictObject({
  secret: v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{22,64}$/)),
  /** Which connection of this instance this is, from 1: the highest is the one that counts. */
  connection: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
});

/** The first message of every connection: who I am. Exactly one of `token` and `guest`. */
export const HelloSchema = v.strictObject({
  type: v.literal("hello"),
  id: RequestIdSchema,
  token: v.optional(TokenSchema),
  guest: v.optional(GuestSchema),
  /** Left out: this connection takes no part in presence and signals. */
  instance: v.optional(InstanceSchema),
  /** The version of the list of durable subscriptions that I was told last: another one is news, for which a response is not held. */
  following: v.optional(ListVersionSchema),
  /** Name and version of the client library, for the operator's eyes. */
  agent: v.optional(v.pipe(v.string(), v.maxLength(120))),
});

/** A fresh token of the same user on a live connection. */
export const RefreshSchema = v.strictObject({
  type: v.literal("refresh"),
  id: RequestIdSchema,
  token: TokenSchema,
});

/** The answer to `hello` and to `refresh`. Subscriptions and waiting publishes are sent again by the client. */
export const WelcomeSchema = v.object({
  type: v.literal("welcome"),
  id: RequestIdSchema,
  /** Names this connection in the operator's logs. */
  connection: v.string(),
  user: v.string(),
  tenant: v.string(),
  name: v.optional(v.string()),
  /** The server's clock. */
  time: TimeSchema,
  /** When the token ends, by the server's clock. */
  expires: v.optional(TimeSchema),
  limits: LimitsSchema,
  /** What others know this client instance by. Stands where `hello` named one. */
  device: v.optional(DeviceSchema),
  /** The user's durable subscriptions. */
  following: FollowingListSchema,
});

export type Hello = v.InferOutput<typeof HelloSchema>;
export type Refresh = v.InferOutput<typeof RefreshSchema>;
export type Welcome = v.InferOutput<typeof WelcomeSchema>;
