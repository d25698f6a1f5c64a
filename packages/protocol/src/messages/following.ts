import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { RequestIdSchema } from "./fields.ts";

/**
 * Which state of a user's list of durable subscriptions: rises with every change that is answered, 0 where there never was a list. A change names the
 * one that the client knows; where the list is of another by then, it is answered `conflict` and does nothing.
 */
export const ListVersionSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** The user's durable subscriptions, all of them: a client subscribes to them as to any other channel. */
export const FollowingListSchema = v.object({ version: ListVersionSchema, channels: v.array(ChannelNameSchema) });

/** Have every connection of mine subscribe to this channel from now on, until `unfollow`: a durable subscription. */
export const FollowSchema = v.strictObject({
  type: v.literal("follow"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  version: ListVersionSchema,
});

export const FollowedSchema = v.object({
  type: v.literal("followed"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  /** The list's from then on. */
  version: ListVersionSchema,
});

export const UnfollowSchema = v.strictObject({
  type: v.literal("unfollow"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  version: ListVersionSchema,
});

export const UnfollowedSchema = v.object({
  type: v.literal("unfollowed"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
  version: ListVersionSchema,
});

/** The user's durable subscriptions have changed. */
export const FollowingSchema = v.object({ type: v.literal("following"), ...FollowingListSchema.entries });

export type Follow = v.InferOutput<typeof FollowSchema>;
export type Unfollow = v.InferOutput<typeof UnfollowSchema>;
export type FollowingList = v.InferOutput<typeof FollowingListSchema>;
export type Following = v.InferOutput<typeof FollowingSchema>;
