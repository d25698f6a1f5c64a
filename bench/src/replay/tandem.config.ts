import { channel, defineApp } from "@tandem/app";
import * as v from "valibot";

const EditSchema = v.object({
  /** The transaction's place in the trace, from 0. */
  index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  patches: v.array(v.tuple([v.number(), v.number(), v.string()])),
});

/** The application of a replay: texts that guests edit. */
const app = defineApp({
  guests: { grants: { "text:*": ["read", "publish"] } },
  channels: { text: channel({ events: { edit: EditSchema } }) },
});

export default app;
