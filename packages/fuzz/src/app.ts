import { channel, defineApp, event } from "@tandem/app";
import * as v from "valibot";

/** Signs the tokens of a run. It guards nothing: the server lives as long as the run, on this machine. */
export const SECRET = "the fuzzer's secret, which guards nothing";

/** What hostile clients may do. The control client's channel is not among it. */
export const GRANTS = {
  "room:*": ["read", "publish", "presence", "signal"],
  "note:*": ["read", "publish"],
  "feed:*": ["read"],
} as const;

/** The channel of the control client. */
export const CONTROL = "control:1";

const Text = v.object({ text: v.string() });

/** The application that is fuzzed: one channel type of every kind that handlers tell apart. */
export const app = defineApp({
  guests: { grants: { "room:*": ["read", "publish", "presence", "signal"] } },
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
    feed: channel({ events: { message: Text }, access: async ({ granted }) => granted, priority: "critical" }),
  },
});
