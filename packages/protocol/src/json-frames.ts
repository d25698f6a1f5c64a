import type { Encoded, FrameCodec } from "./codec.ts";
import { TandemError } from "./errors.ts";
import { SUBPROTOCOLS } from "./version.ts";

/** JSON: a frame is one text, an array of messages. */
export const jsonFrames: FrameCodec<string> = {
  subprotocol: SUBPROTOCOLS.json,
  encode: (message) => JSON.stringify(message),
  join: (messages) => `[${messages.join(",")}]`,
  decode(frame: Encoded): unknown[] {
    if (typeof frame !== "string") throw new TandemError("bad-frame", "A frame of tandem.v1.json is a text.");
    const messages = parse(frame);
    if (!Array.isArray(messages)) throw new TandemError("bad-frame", "A frame is an array of messages.");
    return messages;
  },
};

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new TandemError("bad-frame", "A frame of tandem.v1.json is one JSON array.");
  }
}
