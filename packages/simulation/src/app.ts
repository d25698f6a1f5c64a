import { channel, defineApp } from "@tandem/app";
import { hall } from "./presence/hall.ts";

/** What every event of a schedule carries. */
export interface Note {
  /** The publish it came from: no two publishes share a number. */
  readonly n: number;
  /** For `inbox`: who may read it, besides its author. */
  readonly to?: string;
  readonly text: string;
}

/** A schema by hand: what matters here is when it answers, not what it can express. */
function note(asynchronous: boolean) {
  const validate = (value: unknown): { value: Note } | { issues: { message: string }[] } => {
    const given = value as Partial<Note> | null;
    if (typeof given !== "object" || given === null || typeof given.n !== "number" || typeof given.text !== "string") {
      return { issues: [{ message: "a note has a number and a text" }] };
    }
    return { value: { n: given.n, ...(typeof given.to === "string" ? { to: given.to } : {}), text: given.text } };
  };
  return {
    "~standard": {
      version: 1 as const,
      vendor: "simulation",
      validate: (value: unknown) => (asynchronous ? Promise.resolve(validate(value)) : validate(value)),
      types: undefined as { readonly input: Note; readonly output: Note } | undefined,
    },
  };
}

/** Keeps few events, so that readers are overtaken by retention. */
export const FEED_COUNT = 12;

/** May this user read this note of an inbox? */
export function mayRead(user: string, author: string | undefined, to: string | undefined): boolean {
  return author === user || to === user;
}

/** The application of every schedule: one channel type for each thing that a channel can be about. */
export const app = defineApp({
  channels: {
    room: channel({ events: { note: note(false) } }),
    slow: channel({ events: { note: note(true) }, priority: "bulk" }),
    feed: channel({ events: { note: note(false) }, retention: { count: FEED_COUNT } }),
    inbox: channel({
      events: { note: note(false) },
      priority: "critical",
      visible: (event, viewer) => mayRead(viewer.user, event.author, (event.data as Note | null)?.to),
    }),
    hall,
  },
});

export type SimulatedApp = typeof app;
/** The types of channels that events are published in. */
export type SimulatedChannel = Exclude<keyof SimulatedApp["channels"] & string, "hall">;
