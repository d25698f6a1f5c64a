import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";

const MessageSchema = v.object({
  text: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(2000)),
  /** What the author is called here; who the author is, the server says in the event's `author`. */
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(40)),
});

/** The showcase: rooms in which anybody may read and write. */
export default defineApp({
  guests: { grants: { "room:*": ["read", "publish"] } },
  channels: {
    room: channel({ events: { message: MessageSchema }, retention: { count: 100_000 } }),
  },
});
