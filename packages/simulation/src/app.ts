import type { Access } from "@tandem/app";
import { channel, defineApp, event } from "@tandem/app";
import type { OldNote } from "./editions.ts";
import { asNew, REVISION } from "./editions.ts";
import { deskTypes } from "./models/desk.ts";
import { crowd, hall } from "./presence/hall.ts";
import type { Scope } from "./scope.ts";
import { WHOLE } from "./scope.ts";

/** What every event of a schedule carries. */
export interface Note {
  /** The publish it came from: no two publishes share a number. */
  readonly n: number;
  /** What it is about, from 0 to `SUBJECTS - 1`: filters pick by it, and where only the latest counts it is the key. */
  readonly about: number;
  /** For `inbox`: who may read it, besides its author. */
  readonly to?: string;
  readonly text: string;
}

/** A schema by hand: what matters here is when it answers, not what it can express. */
function note(asynchronous: boolean) {
  const validate = (value: unknown): { value: Note } | { issues: { message: string }[] } => {
    const given = value as Partial<Note> | null;
    const { n, about, to, text } = given ?? {};
    if (typeof n !== "number" || typeof about !== "number" || typeof text !== "string") {
      return { issues: [{ message: "a note has a number, a subject and a text" }] };
    }
    return { value: { n, about, ...(typeof to === "string" ? { to } : {}), text } };
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

/** What notes are about. */
export const SUBJECTS = 4;

/** The event types of every channel. */
export const EVENTS = ["note", "memo"] as const;

export type EventType = (typeof EVENTS)[number];

/** Keeps few events, so that readers are overtaken by retention. */
export const FEED_COUNT = 12;

/** May this user read this note of an inbox? */
export function mayRead(user: string, author: string | undefined, to: string | undefined): boolean {
  return author === user || to === user;
}

/** A memo, in the schedules that have editions: in its second version. */
function revised(asynchronous: boolean) {
  const upcasters = { 1: (data: unknown) => asNew(data as OldNote) };
  return event({ version: REVISION, schema: note(asynchronous), upcasters });
}

/** The types of the channels that every user has. */
const PERSONAL = ["user-urgent", "user", "tenant"] as const;

const filterable = ["about"] as const;

/**
 * The application of every schedule: one channel type for each thing that a channel can be about.
 *
 * @param access who may enter a club
 * @param older the models of desks have not got their present version yet
 */
export function createApp(access: Access, scope: Scope, older = false) {
  const memo = (asynchronous: boolean) => (scope.editions ? revised(asynchronous) : note(asynchronous));
  const events = { note: note(false), memo: memo(false) };
  const app = defineApp({
    channels: {
      room: channel({ events, filterable }),
      slow: channel({ events: { note: note(true), memo: memo(true) }, filterable, priority: "bulk" }),
      feed: channel({ events, filterable, retention: { count: FEED_COUNT } }),
      inbox: channel({
        events,
        filterable,
        priority: "critical",
        visible: (event, viewer) => mayRead(viewer.user, event.author, (event.data as Note | null)?.to),
      }),
      ticker: channel({
        events,
        filterable,
        overflow: "latest",
        key: (event) => String((event.data as Note | null)?.about),
      }),
      pulse: channel({ events, filterable, overflow: "disconnect" }),
      club: channel({ events, filterable, access }),
      hall,
      crowd,
      "user-urgent": channel({ events, priority: "critical" }),
      user: channel({ events }),
      tenant: channel({ events, retention: { count: FEED_COUNT } }),
      ...deskTypes(events, older),
    },
  });
  if (!scope.following) for (const type of PERSONAL) Reflect.deleteProperty(app.channels, type);
  return app;
}

/** What is the same for all nodes: lanes and policies. */
export const app = createApp(({ granted }) => granted, WHOLE);

/** The types of channels that schedules use. */
export const TYPES = ["room", "feed", "inbox", "slow", "ticker", "pulse", "club"] as const;

export type SimulatedApp = typeof app;
/** The types of channels that events are published in. */
export type SimulatedChannel = Exclude<keyof SimulatedApp["channels"] & string, "hall" | "crowd">;
