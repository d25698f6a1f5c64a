import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";
import { board, locks, NOTE_LOCK, note, votes } from "./src/room-models.ts";

const MessageSchema = v.object({
  text: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(2000)),
  /** What the author is called here; who the author is, the server says in the event's `author`. */
  name: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(40)),
});

const NameSchema = MessageSchema.entries.name;

/**
 * Where somebody points: `x` from the left edge (0) to the right edge (1) of the column of messages, and beyond them on wide screens; `y` from
 * the top (0) to the bottom (1) of what is in view.
 */
const CursorSchema = v.object({
  x: v.pipe(v.number(), v.minValue(-4), v.maxValue(5)),
  y: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
});

/** The showcase: rooms in which anybody may read and write, decide together, and is seen to be there. */
export default defineApp({
  guests: { grants: { "room:*": ["read", "publish", "write", "presence", "signal"] } },
  channels: {
    room: channel({
      events: { message: MessageSchema },
      models: { votes, board, locks, note },
      // Also a holder who does not know yet that the lock is lost writes nothing any more.
      protect: (write) => ("model" in write && write.model === "note" ? `locks/${NOTE_LOCK}` : undefined),
      retention: { count: 100_000 },
      presence: { state: v.object({ name: NameSchema }) },
      signals: { cursor: CursorSchema, typing: v.literal(true) },
    }),
  },
});
