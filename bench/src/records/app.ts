import { channel, defineApp } from "@tandem/app";
import { board, MODEL } from "./work.ts";

/** The application that is measured: a channel type of one model of records, and guests who may read and change them. */
export const app = defineApp({
  channels: { board: channel({ events: {}, models: { [MODEL]: board } }) },
  guests: { grants: { "board:*": ["read", "write"] } },
});
