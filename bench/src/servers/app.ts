import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";

/** The event that every benchmark of connections sends. */
export const EVENT = "said";

/** The application that is measured: a channel type of one event with a schema, one of members with cursors, and guests who may do all that is measured. */
export const app = defineApp({
  channels: {
    feed: channel({ events: { [EVENT]: v.object({ seq: v.string(), at: v.string(), text: v.string() }) } }),
    crowd: channel({
      events: {},
      presence: { state: v.object({ name: v.string() }) },
      signals: { cursor: v.object({ x: v.number(), y: v.number(), at: v.number() }) },
    }),
  },
  guests: { grants: { "feed:*": ["read", "publish"], "crowd:*": ["read", "presence", "signal"] } },
});
