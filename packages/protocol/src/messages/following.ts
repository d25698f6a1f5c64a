import * as v from "valibot";
import { ChannelNameSchema } from "../channel-name.ts";
import { RequestIdSchema } from "./fields.ts";

/** Have every connection of mine subscribe to this channel from now on, until `unfollow`: a durable subscription. */
export const FollowSchema = v.strictObject({
  type: v.literal("follow"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

export const FollowedSchema = v.object({
  type: v.literal("followed"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

export const UnfollowSchema = v.strictObject({
  type: v.literal("unfollow"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

export const UnfollowedSchema = v.object({
  type: v.literal("unfollowed"),
  id: RequestIdSchema,
  channel: ChannelNameSchema,
});

/** The user's durable subscriptions have changed: these are all of them. A client subscribes to them as to any other channel. */
export const FollowingSchema = v.object({ type: v.literal("following"), channels: v.array(ChannelNameSchema) });

export type Follow = v.InferOutput<typeof FollowSchema>;
export type Unfollow = v.InferOutput<typeof UnfollowSchema>;
export type Following = v.InferOutput<typeof FollowingSchema>;
