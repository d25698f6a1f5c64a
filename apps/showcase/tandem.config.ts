import { channel, defineApp } from "@tandem/app";
import type { Application } from "@tandem/server";
import * as v from "valibot";
import { countWords } from "./src/jobs/count-words.ts";
import { board, DESK, JOB_LEASE_MS, jobs, locks, NOTE_LOCK, note, votes } from "./src/room-models.ts";

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
  guests: {
    grants: {
      "room:*": ["read", "publish", "write", "presence", "signal"],
      [`desk:${DESK}`]: ["read", "write"],
    },
  },
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
    // What anybody may have done; the server's own worker does it.
    desk: channel({ events: {}, models: { jobs }, retention: { count: 10_000 } }),
  },
});

/** Milliseconds between two pages that are counted: nobody who writes waits for the counting. */
const PAUSE_MS = 200;

/** Runs in the server's process: works on the jobs of all rooms. */
export function start(application: Application) {
  const pause = () => new Promise((over) => setTimeout(over, PAUSE_MS));
  return application.work(`desk:${DESK}`, "jobs", { lease: JOB_LEASE_MS, run: countWords(application, pause) });
}
