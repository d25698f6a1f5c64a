import type { Codec, Encoded, KeyCount, StoredEvent } from "./codec.ts";
import { TandemError } from "./errors.ts";
import { SUBPROTOCOLS } from "./version.ts";

/** JSON: a frame is one text, an array of messages. */
export const jsonCodec: Codec<string> = {
  name: "json",
  subprotocol: SUBPROTOCOLS.json,
  encode: (message) => JSON.stringify(message),
  encodeEvent(event: StoredEvent): string {
    const { offset, id, type, version, time, author, trace, data } = event;
    const head = JSON.stringify({
      offset,
      id,
      type,
      version: version === 1 ? undefined : version,
      time,
      author,
      trace,
      redacted: data === undefined ? true : undefined,
    });
    return `${head.slice(0, -1)},"data":${data ?? "null"}}`;
  },
  encodeWithEvents: (head, events) => `${JSON.stringify(head).slice(0, -1)},"events":[${events.join(",")}]}`,
  join: (messages) => `[${messages.join(",")}]`,
  decode(frame: Encoded, spelled?: KeyCount): unknown[] {
    if (typeof frame !== "string") throw new TandemError("bad-frame", "A frame of tandem.v1.json is a text.");
    const messages = parse(frame);
    if (!Array.isArray(messages)) throw new TandemError("bad-frame", "A frame is an array of messages.");
    if (spelled) spelled.keys = countColons(frame);
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

/** JSON has one colon outside of texts for each key that it spells out. */
function countColons(text: string): number {
  let count = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter === 0x22) quoted = !quoted;
    else if (quoted && letter === 0x5c) at++;
    else if (!quoted && letter === 0x3a) count++;
  }
  return count;
}
