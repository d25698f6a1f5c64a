import { decodeMulti, encode } from "@msgpack/msgpack";
import type { Codec, Encoded, KeyCount, StoredEvent } from "./codec.ts";
import { TandemError } from "./errors.ts";
import { keepsItsPromises } from "./msgpack-frame.ts";
import { SUBPROTOCOLS } from "./version.ts";

/** MessagePack: a frame is the bytes of its messages, one after the other. */
export const msgpackCodec: Codec<Uint8Array> = {
  name: "msgpack",
  subprotocol: SUBPROTOCOLS.msgpack,
  encode: (message) => encode(message, { ignoreUndefined: true }),
  encodeEvent(event: StoredEvent): Uint8Array {
    const { offset, id, type, version, time, author, trace, data } = event;
    return this.encode({
      offset,
      id,
      type,
      version: version === 1 ? undefined : version,
      time,
      author,
      trace,
      redacted: data === undefined ? true : undefined,
      data: data === undefined ? null : JSON.parse(data),
    });
  },
  encodeWithEvents(head, events): Uint8Array {
    const frame = this.encode({ ...head, events: [] });
    // The empty array is the last byte: in its place goes the head of one that holds the encoded events.
    return concat([frame.subarray(0, -1), arrayHead(events.length), ...events]);
  },
  join: (messages) => (messages.length === 1 && messages[0] ? messages[0] : concat(messages)),
  decode(frame: Encoded, spelled?: KeyCount): unknown[] {
    if (typeof frame === "string") throw new TandemError("bad-frame", "A frame of tandem.v1.msgpack is binary.");
    if (!keepsItsPromises(frame)) throw new TandemError("bad-frame", "A list or map of this frame is not all there.");
    let keys = 0;
    const mapKeyConverter = (key: unknown): string => {
      if (typeof key !== "string") throw new TypeError("a key is a text");
      keys++;
      return key;
    };
    try {
      const messages = [...decodeMulti(frame, { mapKeyConverter })];
      if (spelled) spelled.keys = keys;
      return messages;
    } catch (cause) {
      throw new TandemError("bad-frame", "A frame of tandem.v1.msgpack is MessagePack values, one after the other.", {
        cause,
      });
    }
  },
};

function arrayHead(length: number): Uint8Array {
  if (length < 16) return Uint8Array.of(0x90 | length);
  return Uint8Array.of(0xdd, length >>> 24, length >>> 16, length >>> 8, length);
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
