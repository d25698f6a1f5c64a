import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";
import { EVENT } from "./work.ts";

/** The application that is measured: one channel type, one event, guests who may publish. */
export const app = defineApp({
  channels: { load: channel({ events: { [EVENT]: v.object({ text: v.string() }) } }) },
  guests: { grants: { "load:*": ["read", "publish"] } },
});
