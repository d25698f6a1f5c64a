import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";

/** The event that every benchmark of connections sends. */
export const EVENT = "said";

/** The application that is measured: one channel type, one event with a schema, guests who may read and publish. */
export const app = defineApp({
  channels: { feed: channel({ events: { [EVENT]: v.object({ seq: v.string(), at: v.string(), text: v.string() }) } }) },
  guests: { grants: { "feed:*": ["read", "publish"] } },
});
