import * as v from "valibot";
import { FollowSchema, UnfollowSchema } from "./following.ts";
import { HelloSchema, RefreshSchema } from "./hello.ts";
import { HistorySchema } from "./history.ts";
import { PingSchema, PongSchema, ReceivedSchema } from "./liveness.ts";
import { CommandSchema, StateSchema } from "./model.ts";
import { EnterSchema, LeaveSchema, RosterSchema, SignalSchema, UnwatchSchema, WatchSchema } from "./presence.ts";
import { PublishSchema } from "./publish.ts";
import { SubscribeSchema, UnsubscribeSchema } from "./subscription.ts";

/** Everything a client may say. Later families (documents) join here. */
export const ClientMessageSchema = v.variant("type", [
  HelloSchema,
  RefreshSchema,
  SubscribeSchema,
  UnsubscribeSchema,
  PublishSchema,
  CommandSchema,
  StateSchema,
  HistorySchema,
  WatchSchema,
  UnwatchSchema,
  EnterSchema,
  LeaveSchema,
  RosterSchema,
  SignalSchema,
  FollowSchema,
  UnfollowSchema,
  ReceivedSchema,
  PingSchema,
  PongSchema,
]);

export type ClientMessage = v.InferOutput<typeof ClientMessageSchema>;

/** A client's message before defaults are filled in: what a client sends. */
export type ClientMessageInput = v.InferInput<typeof ClientMessageSchema>;

/** Those that get exactly one answer. */
export type Request = Extract<ClientMessage, { id: number }>;
