import { channel, defineApp } from "@tandem/app";
import { JobTicksSchema, job, lock, stream, vote } from "@tandem/model";
import * as v from "valibot";

const events = { message: v.object({ text: v.string(), lang: v.optional(v.string()) }) };
const notice = v.object({ text: v.string() });

/** The application that the pages' examples are about, where a page does not define it itself. */
export default defineApp({
  channels: {
    room: channel({ events, filterable: ["lang"], models: { votes: vote(), locks: lock() } }),
    board: channel({
      events: {},
      presence: { state: v.object({ page: v.number() }) },
      signals: { cursor: v.object({ x: v.number(), y: v.number() }) },
    }),
    alarm: channel({
      events: { raised: v.object({ severity: v.number(), site: v.string() }) },
      filterable: ["severity", "site"],
    }),
    desk: channel({ events: {}, models: { jobs: job() }, signals: { ticks: JobTicksSchema } }),
    text: channel({ events: {}, models: { stream: stream() } }),
    user: channel({ events: { notice } }),
  },
});
