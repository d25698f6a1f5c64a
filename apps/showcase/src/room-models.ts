import { defineModel, job, lock, records, vote } from "@tandem/model";
import * as v from "valibot";

/** The models of a room: the server decides by them, and the page shows by them what they will decide. */

/** Proposals that are open at a time, and closed ones that are shown. */
export const votes = vote({ open: 20, keep: 30 });

const CardSchema = v.object({
  title: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200)),
  done: v.boolean(),
});

/** One list of cards. Two who write one title at a time are told so; of two who tick a card the last counts. */
export const board = records({
  collections: { cards: { schema: CardSchema, policies: { title: "refuse" }, order: true, most: 200 } },
});

/** Milliseconds for which a lock is held without being renewed. */
export const LOCK_MS = 30_000;

export const locks = lock({ ttl: LOCK_MS, longest: LOCK_MS, most: 1, queue: 20 });

/** The lock of the note. */
export const NOTE_LOCK = "note";

/** The longest text of the note, in UTF-16 code units. */
export const NOTE_LIMIT = 5_000;

export interface NoteState {
  readonly text: string;
  /** Who wrote it; left out: nobody has yet. */
  readonly by?: string;
  /** When, in milliseconds since 1970. */
  readonly at?: number;
}

/** A text that one person writes at a time: whoever holds the lock `note` of `locks`. */
export const note = defineModel({
  name: "note",
  initial: (): NoteState => ({ text: "" }),
  events: {
    written: (_, { text }: { readonly text: string }, { author, time }): NoteState => ({
      text,
      ...(author !== undefined && { by: author }),
      at: time,
    }),
  },
  commands: {
    write: {
      input: v.strictObject({ text: v.pipe(v.string(), v.maxLength(NOTE_LIMIT)) }),
      decide: (state, { text }) => (text === state.text ? [] : [{ type: "written", data: { text } }]),
    },
  },
});

/** The desk at which the jobs of all rooms are given out. */
export const DESK = "rooms";

/** Milliseconds after which a worker is thought lost of which nothing is heard. */
export const JOB_LEASE_MS = 5_000;

/** Work of the server. Anybody may start and cancel it; the application alone does it. */
export const jobs = job({ lease: JOB_LEASE_MS, grace: 2_000, open: 20, keep: 20, rights: { work: "admin" } });
