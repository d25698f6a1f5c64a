import { channel, defineApp, event } from "@tandem/app";
import { chat, job, stream } from "@tandem/model";
import * as v from "valibot";
import { meter } from "./model/meter.fixture.ts";

const Message = v.object({ text: v.string() });

/** Switches that tests turn: what the app's functions answer. */
export interface Rules {
  /** The schema of `strict` takes everything. */
  lenient: boolean;
  /** Rights that the `access` functions of `club` and `salon` give; undefined: as granted. */
  club: readonly ("read" | "publish")[] | Promise<readonly ("read" | "publish")[]> | undefined;
  /** Rights that the `access` function of `hall` gives; undefined: as granted. */
  hall: readonly ("read" | "presence" | "signal")[] | undefined;
  /** The schema of `slow` waits for this before it answers for a text. */
  pause: ((text: string) => Promise<void>) | undefined;
  /** The `visible` function of `private` throws. */
  blind: boolean;
}

/** Where a member of `hall` is. */
function placeOf({ page }: { page: string }): string {
  if (page === "broken") throw new Error("near failed");
  return page;
}

/** A schema that takes its time. */
const Slow = v.pipeAsync(
  v.number(),
  v.checkAsync(async () => true),
);

/** What the nodes of a cluster serve: a channel type for each thing that tests need. */
export function appOf(rules: Rules) {
  const strict = v.pipe(
    v.unknown(),
    v.check(() => rules.lenient, "is not taken now"),
  );
  const slow = v.pipeAsync(
    Message,
    v.checkAsync(async ({ text }) => {
      await rules.pause?.(text);
      return true;
    }),
  );
  return defineApp({
    channels: {
      room: channel({ events: { message: Message } }),
      strict: channel({ events: { message: strict } }),
      slow: channel({ events: { message: slow } }),
      note: channel({
        events: {
          message: event({
            version: 2,
            schema: v.object({ text: v.string(), tone: v.string() }),
            upcasters: { 1: (data) => ({ ...(data as object), tone: "plain" }) },
          }),
        },
      }),
      private: channel({
        events: { message: v.object({ text: v.string(), to: v.string() }) },
        visible: ({ data }, viewer) => {
          if (rules.blind) throw new Error("visible failed");
          return (data as { to: string } | null)?.to === viewer.user;
        },
      }),
      club: channel({ events: { message: Message }, access: async ({ granted }) => rules.club ?? granted }),
      alert: channel({ events: { message: Message }, priority: "critical" }),
      bulk: channel({ events: { message: Message }, priority: "bulk" }),
      hall: channel({
        events: { message: Message },
        presence: { state: v.object({ page: v.string() }), show: 4, near: placeOf },
        access: ({ granted }) => rules.hall ?? granted,
        signals: { cursor: v.object({ x: v.number() }), typing: v.boolean(), slow: Slow },
      }),
      salon: channel({
        events: { message: Message },
        presence: { state: slow },
        access: async ({ granted }) => rules.club ?? granted,
        signals: { typing: v.boolean() },
      }),
      kept: channel({ events: { message: Message }, retention: { count: 20 } }),
      alarm: channel({
        events: { message: Message, raised: v.object({ text: v.string(), severity: v.number() }) },
        filterable: ["severity", "text"],
        visible: ({ data }) => !(data as { text?: string } | null)?.text?.startsWith("secret"),
      }),
      ticker: channel({
        events: { message: Message },
        overflow: "latest",
        key: ({ data }) => {
          const [key = ""] = (data as { text: string }).text.split(" ");
          if (key === "keyless") throw new Error("key failed");
          return key;
        },
      }),
      user: channel({ events: { message: Message } }),
      "user-urgent": channel({ events: { message: Message }, priority: "critical" }),
      tenant: channel({ events: { message: Message } }),
      lab: channel({
        events: { message: Message },
        models: { meter, other: meter },
        protect: (write) =>
          "event" in write && (write.data as { text?: string } | null)?.text === "guarded" ? "meter/only" : undefined,
      }),
      short: channel({ events: { message: Message }, models: { meter }, retention: { count: 20 } }),
      desk: channel({
        events: { message: Message },
        models: { jobs: job() },
        // Messages are written by who holds the job that they begin with.
        protect: (write) =>
          "event" in write ? `jobs/${(write.data as { text: string }).text.split(" ")[0]}` : undefined,
      }),
      text: channel({ events: {}, models: { stream: stream({ rights: { stop: "read" } }) } }),
      talk: channel({ events: {}, models: { chat: chat() } }),
      brisk: channel({ events: { message: Message }, overflow: "disconnect" }),
    },
  });
}
