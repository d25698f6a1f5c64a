import * as v from "valibot";
import { ErrorSchema } from "./error.ts";
import { EventsSchema } from "./events.ts";
import { FollowedSchema, FollowingSchema, UnfollowedSchema } from "./following.ts";
import { WelcomeSchema } from "./hello.ts";
import { PageSchema } from "./history.ts";
import { ClosingSchema, PingSchema, PongSchema } from "./liveness.ts";
import { PieceSchema } from "./model.ts";
import {
  BookmarkSchema,
  EnteredSchema,
  LeftSchema,
  MembersSchema,
  RosterPageSchema,
  SignalsSchema,
  UnsignalledSchema,
  UnwatchedSchema,
  WatchingSchema,
} from "./presence.ts";
import { PublishedSchema } from "./publish.ts";
import { ResetSchema, SubscribedSchema, UnsubscribedSchema } from "./subscription.ts";

/** Everything a server may say. Clients pass over types they do not know, so that a newer server may say more. */
export const ServerMessageSchema = v.variant("type", [
  WelcomeSchema,
  SubscribedSchema,
  UnsubscribedSchema,
  ResetSchema,
  EventsSchema,
  PublishedSchema,
  PageSchema,
  PieceSchema,
  WatchingSchema,
  UnwatchedSchema,
  EnteredSchema,
  LeftSchema,
  MembersSchema,
  RosterPageSchema,
  SignalsSchema,
  UnsignalledSchema,
  BookmarkSchema,
  FollowedSchema,
  UnfollowedSchema,
  FollowingSchema,
  ErrorSchema,
  ClosingSchema,
  PingSchema,
  PongSchema,
]);

export type ServerMessage = v.InferOutput<typeof ServerMessageSchema>;
