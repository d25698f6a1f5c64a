import type { Codec, Encoded, KeyCount, StoredEvent } from "./codec.ts";
import { jsonFrames } from "./json-frames.ts";

/** JSON, with what a server needs to encode an event once for all. */
export const jsonCodec: Codec<string> = {
  name: "json",
  ...jsonFrames,
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
  decode(frame: Encoded, spelled?: KeyCount): unknown[] {
    const messages = jsonFrames.decode(frame);
    if (spelled && typeof frame === "string") spelled.keys = countColons(frame);
    return messages;
  },
};

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
