import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { DataSchema, LaneSchema, MillisSchema, RequestIdSchema, TimeSchema } from "./fields.ts";

/** Names one client instance of one user to everybody, without telling its secret. */
export const DeviceSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{12}$/));

/** What a device does, by its own word: in use, untouched for a while, out of sight. */
const ActivitySchema = v.picklist(["active", "idle", "away"]);

/** Orders what one client instance says of itself, whichever way it takes: it counts up with everything said, and the highest counts. */
const PresenceSeqSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(1));

/** Where a client stands with what it watches: what the server named in a `bookmark`. It means nothing to the client. */
const BookmarkTextSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{0,16}\.[A-Za-z0-9_-]{0,16}$/));

/** I want to see who is there, and their signals. Answered by `watching`; `members` with everybody follows it. */
export const WatchSchema = v.strictObject({
  type: v.literal("watch"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  /** Default: the priority of the channel's type. */
  lane: v.optional(LaneSchema),
  /** Who is there. Default true. */
  members: v.optional(v.boolean(), true),
  /** Their signals. Default true. */
  signals: v.optional(v.boolean(), true),
  /** What the client was told last on another connection, and has kept: it is told the difference. Default: it has nothing. */
  after: v.optional(BookmarkTextSchema),
});

export const WatchingSchema = v.object({
  type: v.literal("watching"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

export const UnwatchSchema = v.strictObject({
  type: v.literal("unwatch"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

export const UnwatchedSchema = v.object({
  type: v.literal("unwatched"),
  /** Left out when the server ended it by itself (rights were taken back). */
  id: v.optional(RequestIdSchema),
  channel: ChannelNameSchema,
});

/** I am here; or, said again, what I say of myself has changed. It holds until `leave`, or 10 s after the connection is lost. */
export const EnterSchema = v.strictObject({
  type: v.literal("enter"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  seq: PresenceSeqSchema,
  /** By the channel type's schema `presence`. */
  state: v.optional(DataSchema),
  activity: v.optional(ActivitySchema, "active"),
});

export const EnteredSchema = v.object({
  type: v.literal("entered"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

export const LeaveSchema = v.strictObject({
  type: v.literal("leave"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  seq: PresenceSeqSchema,
});

export const LeftSchema = v.object({ type: v.literal("left"), id: RequestIdSchema, channel: ChannelNameSchema });

/** One device of one member. A member is a user: all its devices are one member. */
const MemberSchema = v.object({
  device: DeviceSchema,
  user: v.string(),
  name: v.optional(v.string()),
  state: v.optional(DataSchema),
  /** `reconnecting`: its connection was lost, and it may come back. */
  status: v.picklist(["active", "idle", "away", "reconnecting"]),
  /** When this device came, by the server's clock. */
  since: TimeSchema,
});

/** Who is there. With `full`, these are all that are shown; without, those that came or changed, and those that went. */
export const MembersSchema = v.object({
  type: v.literal("members"),
  channel: ChannelNameSchema,
  full: v.optional(v.literal(true)),
  /** There is more of this: it shall be shown together. */
  more: v.optional(v.literal(true)),
  members: v.array(MemberSchema),
  gone: v.optional(v.array(DeviceSchema)),
  /** Users that are there, shown or not. */
  count: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  /** Milliseconds between two signals of one key that a client shall keep to: grows with the room. */
  signalMs: MillisSchema,
});

/** You have been told everything up to here: a `watch` that says so goes on from it, at any node. Said at the end of an answer over HTTP. */
export const BookmarkSchema = v.object({
  type: v.literal("bookmark"),
  channel: ChannelNameSchema,
  bookmark: BookmarkTextSchema,
});

/** A page of who is there, in the order of their devices' names. */
export const RosterSchema = v.strictObject({
  type: v.literal("roster"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  /** The last device of the page before. */
  after: v.optional(DeviceSchema),
  limit: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000)),
});

export const RosterPageSchema = v.object({
  type: v.literal("roster-page"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  members: v.array(MemberSchema),
  /** The `after` of the next page; left out when there is none. */
  next: v.optional(DeviceSchema),
});

/** The name of a kind of signal: `cursor`, `typing`. */
export const SignalKeySchema = v.pipe(v.string(), v.regex(/^[A-Za-z][A-Za-z0-9_.-]{0,63}$/));

/** My newest signals, by key: ephemeral, the latest wins. Not answered, but by `unsignalled`. Null takes back what was signalled. */
export const SignalSchema = v.strictObject({
  type: v.literal("signal"),
  channel: ChannelNameSchema,
  /** Of the same count as that of `enter` and `leave`. */
  seq: PresenceSeqSchema,
  signals: v.record(SignalKeySchema, DataSchema),
});

/** Signals of mine were refused. */
export const UnsignalledSchema = v.object({
  type: v.literal("unsignalled"),
  channel: ChannelNameSchema,
  seq: PresenceSeqSchema,
  code: v.string(),
  message: v.string(),
  retryable: v.boolean(),
  retryAfter: v.optional(MillisSchema),
});

/** The newest signals of those who are there, one's own among them: by key, then by device. Null: taken back, or gone. */
export const SignalsSchema = v.object({
  type: v.literal("signals"),
  channel: ChannelNameSchema,
  /** These are all there are. */
  full: v.optional(v.literal(true)),
  signals: v.record(SignalKeySchema, v.record(DeviceSchema, DataSchema)),
});

export type Activity = v.InferOutput<typeof ActivitySchema>;
export type Watch = v.InferOutput<typeof WatchSchema>;
export type Unwatch = v.InferOutput<typeof UnwatchSchema>;
export type Enter = v.InferOutput<typeof EnterSchema>;
export type Leave = v.InferOutput<typeof LeaveSchema>;
export type Member = v.InferOutput<typeof MemberSchema>;
export type Members = v.InferOutput<typeof MembersSchema>;
export type Roster = v.InferOutput<typeof RosterSchema>;
export type Signal = v.InferOutput<typeof SignalSchema>;
export type Unsignalled = v.InferOutput<typeof UnsignalledSchema>;
export type Signals = v.InferOutput<typeof SignalsSchema>;
