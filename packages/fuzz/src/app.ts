import { channel, defineApp, event } from "@tandem/app";
import { chat, counter, job, lock, records, vote } from "@tandem/model";
import * as v from "valibot";

/** Signs the tokens of a run. It guards nothing: the server lives as long as the run, on this machine. */
export const SECRET = "the fuzzer's secret, which guards nothing";

/** What hostile clients may do. The control client's channel is not among it. */
export const GRANTS = {
  "room:*": ["read", "publish", "presence", "signal"],
  "note:*": ["read", "publish"],
  "feed:*": ["read"],
  "desk:*": ["read", "publish", "write"],
} as const;

/** What a few of them may do. */
export const ADMIN_GRANTS = { ...GRANTS, "desk:*": ["admin"] } as const;

/** The channel of the control client. */
export const CONTROL = "control:1";

const Text = v.object({ text: v.string() });

/** The models of the channel type `desk`: small, so that their bounds are met. */
export const models = {
  board: records({
    collections: {
      cards: {
        schema: v.object({ title: v.string(), done: v.boolean(), note: v.optional(v.string()) }),
        policies: { title: "refuse" },
        order: true,
        most: 200,
      },
    },
  }),
  votes: vote({ open: 40, keep: 40 }),
  locks: lock({ ttl: 2_000, longest: 5_000, most: 40, queue: 8 }),
  jobs: job({ open: 40, keep: 40, lease: 1_000, grace: 500 }),
  chat: chat({ keep: 100 }),
  count: counter({ least: -1_000, most: 1_000 }),
};

/** The lock that a write of `desk` takes: one that stands for itself, or that of a job. */
function lockFor(event: string, data: unknown): string | undefined {
  if (event === "saved") return "locks/draft";
  if (event !== "noted") return undefined;
  const { job } = (data ?? {}) as { job?: unknown };
  return `jobs/${job}`;
}

/** The application that is fuzzed: one channel type of every kind that handlers tell apart. */
export const app = defineApp({
  guests: { grants: { "room:*": ["read", "publish", "presence", "signal"], "desk:*": ["read", "write"] } },
  channels: {
    control: channel({ events: { message: v.object({ n: v.number() }) }, retention: { count: 1_000 } }),
    room: channel({
      events: { message: v.unknown() },
      retention: { count: 200 },
      filterable: ["text"],
      presence: { state: v.object({ page: v.number() }), show: 20, near: ({ page }) => `${page}` },
      signals: { cursor: v.object({ x: v.number(), y: v.number() }), typing: v.boolean() },
    }),
    note: channel({
      events: {
        message: event({
          version: 2,
          schema: v.object({ text: v.string(), tone: v.string() }),
          upcasters: { 1: (data) => ({ ...(data as object), tone: "plain" }) },
        }),
      },
      visible: ({ author }, viewer) => author === viewer.user,
      retention: { count: 200 },
      priority: "bulk",
    }),
    desk: channel({
      events: { saved: Text, noted: v.object({ job: v.string(), text: v.string() }) },
      models,
      protect: (write) => ("event" in write ? lockFor(write.event, write.data) : undefined),
      retention: { count: 2_000 },
    }),
    feed: channel({ events: { message: Text }, access: async ({ granted }) => granted, priority: "critical" }),
  },
});
