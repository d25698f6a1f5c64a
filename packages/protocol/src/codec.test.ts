import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Codec, StoredEvent } from "./codec.ts";
import { TandemError } from "./errors.ts";
import { inspect } from "./inspection.ts";
import { jsonCodec } from "./json.ts";
import { msgpackCodec } from "./msgpack.ts";

/** JSON values as JSON carries them (no minus zero), without the keys that no message may hold. */
const value = fc
  .jsonValue({ maxDepth: 4 })
  .map((made) => JSON.stringify(made))
  .filter((text) => !/__proto__|constructor|prototype/.test(text))
  .map((text) => JSON.parse(text) as unknown);

const message = fc
  .dictionary(fc.string({ minLength: 1 }), value, { minKeys: 1, noNullPrototype: true })
  .filter((made) => !Object.keys(made).some((key) => /__proto__|constructor|prototype/.test(key)));

const stored: fc.Arbitrary<StoredEvent> = fc.record({
  offset: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  id: fc.string(),
  type: fc.constant("message"),
  version: fc.integer({ min: 1, max: 3 }),
  time: fc.integer({ min: 0, max: 2 ** 45 }),
  author: fc.option(fc.string(), { nil: undefined }),
  trace: fc.option(fc.string(), { nil: undefined }),
  data: fc.option(
    value.map((made) => JSON.stringify(made)),
    { nil: undefined },
  ),
});

/** An event as a client sees it. */
function seen({ version, author, trace, data, ...rest }: StoredEvent): object {
  return {
    ...rest,
    ...(version === 1 ? {} : { version }),
    ...(author === undefined ? {} : { author }),
    ...(trace === undefined ? {} : { trace }),
    ...(data === undefined ? { data: null, redacted: true } : { data: JSON.parse(data) }),
  };
}

describe.each([
  ["JSON", jsonCodec as Codec],
  ["MessagePack", msgpackCodec as Codec],
])("%s", (_, codec) => {
  it("reads back the messages of a frame as they were, in order", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const frame = codec.join(messages.map((made) => codec.encode(made)));
        expect(codec.decode(frame)).toEqual(messages);
      }),
    );
  });

  it("joins stored events into the message that they would make when encoded as a whole", () => {
    fc.assert(
      fc.property(message, fc.array(stored, { maxLength: 40 }), (head, events) => {
        const joined = codec.encodeWithEvents(
          head,
          events.map((event) => codec.encodeEvent(event)),
        );
        expect(codec.decode(codec.join([joined]))).toEqual([{ ...head, events: events.map(seen) }]);
      }),
    );
  });

  it("shows of a stored event nothing that is the log's own", () => {
    const event = {
      offset: 1,
      id: "i",
      type: "t",
      version: 1,
      time: 1,
      author: undefined,
      trace: undefined,
      data: "1",
    };
    const kept = codec.encodeEvent({ ...event, tag: "tag", run: 1 } as StoredEvent);
    expect(kept).toEqual(codec.encodeEvent(event));
  });

  it("counts the keys that a frame spells out", () => {
    fc.assert(
      fc.property(fc.array(message, { minLength: 1, maxLength: 5 }), (messages) => {
        const spelled = { keys: 0 };
        const decoded = codec.decode(codec.join(messages.map((made) => codec.encode(made))), spelled);
        // Texts that messages may not hold are not what is looked at here.
        fc.pre(JSON.stringify(decoded).isWellFormed() && !JSON.stringify(decoded).includes("\\u"));
        expect(decoded.reduce((keys: number, made) => keys + inspect(made, 32), 0)).toBe(spelled.keys);
      }),
    );
  });

  it("G12: answers any frame at all with messages or with bad-frame", () => {
    const frames = fc.oneof(fc.string({ unit: "binary" }), fc.json(), fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(frames, (frame) => {
        try {
          expect(codec.decode(frame)).toBeInstanceOf(Array);
        } catch (error) {
          expect(error).toBeInstanceOf(TandemError);
          expect((error as TandemError).code).toBe("bad-frame");
        }
      }),
      { numRuns: 500 },
    );
  });

  it("takes no frame that was cut off for a whole one", () => {
    const cut = (frame: string | Uint8Array, at: number) =>
      typeof frame === "string" ? frame.slice(0, at) : frame.subarray(0, at);
    fc.assert(
      fc.property(message, fc.nat(), (made, at) => {
        const frame = codec.join([codec.encode(made)]);
        fc.pre(at % frame.length > 0);
        expect(() => codec.decode(cut(frame, at % frame.length))).toThrow(TandemError);
      }),
    );
  });
});

describe("MessagePack", () => {
  it.each([
    ["a map", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["a list", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a short list", [0xdc, 0xff, 0xff, 0x01]],
    ["a small map", [0x82, 0xa1, 0x61, 0x01]],
    ["a list in a list", [0x92, 0x92, 0x01, 0x01]],
    ["a text", [0xd9, 0x05, 0x61]],
    ["bytes", [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ["an extension", [0xc9, 0xff, 0xff, 0xff, 0xff, 0x01]],
  ])("G12: %s that promises more than the frame holds is refused before room is made for it", (_, bytes) => {
    expect(() => msgpackCodec.decode(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: "bad-frame" }));
  });

  it("reads values of every width", () => {
    const wide = {
      list: Array.from({ length: 70_000 }, (_, at) => at),
      map: Object.fromEntries(Array.from({ length: 300 }, (_, at) => [`k${at}`, at])),
      texts: ["a", "b".repeat(40), "c".repeat(300), "d".repeat(70_000)],
      numbers: [-1, -33, -200, -40_000, -3_000_000_000, 200, 40_000, 3_000_000_000, 2 ** 50, 0.5],
    };
    expect(msgpackCodec.decode(msgpackCodec.encode(wide))).toEqual([wide]);
  });
});
