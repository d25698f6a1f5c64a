import { channel, defineApp } from "@tandem/app";
import { defineModel, reject } from "@tandem/model";
import * as v from "valibot";
import { COMMAND, EVENT, MODEL } from "./work.ts";

/** So many notes may be made: the model has something to look at before it says yes. */
const MOST = 1_000_000_000;

/** A model of one command, whose event is as large as what the others publish. */
const notes = defineModel({
  name: "notes",
  initial: () => ({ count: 0 }),
  events: { noted: ({ count }, _: { text: string }) => ({ count: count + 1 }) },
  commands: {
    [COMMAND]: {
      input: v.object({ text: v.string() }),
      decide: ({ count }, { text }) => (count < MOST ? [{ type: "noted", data: { text } }] : reject("full")),
    },
  },
});

/** The application that is measured: a channel type of one event, one of one model, guests who may do all of it. */
export const app = defineApp({
  channels: {
    load: channel({ events: { [EVENT]: v.object({ text: v.string() }) } }),
    desk: channel({ events: {}, models: { [MODEL]: notes } }),
  },
  guests: { grants: { "load:*": ["read", "publish"], "desk:*": ["read", "write"] } },
});
