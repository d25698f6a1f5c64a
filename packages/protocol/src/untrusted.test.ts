import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TandemError } from "./errors.ts";
import { jsonCodec } from "./json.ts";
import { DEFAULT_LIMITS } from "./limits.ts";
import type { ClientMessageInput } from "./messages/client-message.ts";
import { msgpackCodec } from "./msgpack.ts";
import { decodeUntrusted } from "./untrusted.ts";

const read = (frame: string) => decodeUntrusted(jsonCodec, frame, DEFAULT_LIMITS);
const codes = (frame: string) => read(frame).map(({ error }) => error?.code);

const ping: ClientMessageInput = { type: "ping" };

describe("a frame from outside", () => {
  it("gives its messages, with what was left out filled in", () => {
    const publish = {
      type: "publish",
      id: 1,
      channel: "room:1",
      event: "message",
      data: { text: "" },
      producer: `0mfxxxxx-${"x".repeat(22)}`,
      seq: 1,
    };
    expect(read(JSON.stringify([ping, publish]))).toEqual([{ message: ping }, { message: { ...publish, version: 1 } }]);
  });

  it("G12: never throws anything but a frame's own error, whatever comes", () => {
    const frames = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: "binary" }),
      fc.json(),
      fc.array(fc.jsonValue(), { maxLength: 4 }).map((values) => JSON.stringify(values)),
      fc.array(fc.jsonValue(), { maxLength: 4 }).map((values) => msgpackCodec.encode(values)),
    );
    fc.assert(
      fc.property(frames, fc.constantFrom(jsonCodec, msgpackCodec), (frame, codec) => {
        try {
          for (const { error, message } of decodeUntrusted(codec, frame, DEFAULT_LIMITS)) {
            expect(error ?? message).toBeDefined();
            if (error) expect(error.message.length).toBeLessThanOrEqual(200);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(TandemError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("allows nesting up to the limit and not beyond", () => {
    const nested = (depth: number) => `[{"type":"ping","x":${"[".repeat(depth)}${"]".repeat(depth)}}]`;
    expect(read(nested(31))[0]?.error?.code).toBe("bad-message");
    expect(codes(nested(33))).toEqual(["too-deep"]);
  });

  it("G12: nesting as deep as a frame is long overflows nothing", () => {
    expect(codes(`[${"[".repeat(50_000)}${"]".repeat(50_000)}]`)).toEqual(["too-deep"]);
    const deep = Uint8Array.from({ length: 50_000 }, (_, at) => (at === 49_999 ? 0xc0 : 0x91));
    expect(decodeUntrusted(msgpackCodec, deep, DEFAULT_LIMITS)[0]?.error?.code).toBe("too-deep");
  });

  it("a key given twice spoils the whole frame: whose it was cannot be told", () => {
    expect(codes('[{"type":"ping"},{"type":"ping","type":"ping"}]')).toEqual(["bad-message", "bad-message"]);
    const twice = Uint8Array.from([0x82, 0xa1, 0x61, 0x01, 0xa1, 0x61, 0x02]);
    expect(decodeUntrusted(msgpackCodec, twice, DEFAULT_LIMITS)).toMatchObject([{ error: { code: "bad-message" } }]);
  });

  it("F3: a key given twice is noticed beside a message that is wrong by itself", () => {
    for (const wrong of ['{"type":"shout"}', '{"type":"ping","constructor":1}', `${"[".repeat(40)}${"]".repeat(40)}`]) {
      expect(codes(`[${wrong},{"type":"ping","type":"ping"}]`)).toEqual(["bad-message", "bad-message"]);
      expect(codes(`[${wrong},{"type":"ping"}]`)[1]).toBeUndefined();
    }
  });

  it("is not taken for one with a key given twice because of colons and quotes in texts", () => {
    const publish = (text: string) => ({
      type: "publish",
      id: 1,
      channel: "room:1",
      event: "message",
      data: { [text]: text },
      producer: `0mfxxxxx-${"x".repeat(22)}`,
      seq: 1,
    });
    fc.assert(
      fc.property(fc.stringMatching(/^[:"\\,{}a]*$/), (text) => {
        expect(read(JSON.stringify([publish(text)]))[0]?.error).toBeUndefined();
      }),
    );
  });

  it("tells the id of a wrong message only where that is one", () => {
    const ids = (id: string) => read(`[{"type":"shout","id":${id}}]`).map((arrival) => arrival.error && arrival.id);
    expect(ids("7")).toEqual([7]);
    for (const id of ["0", "-1", "1.5", '"7"', "null", "[7]", "1e400"]) expect(ids(id)).toEqual([undefined]);
  });

  it("with more messages than the limit is refused as a whole", () => {
    const frame = (count: number) => JSON.stringify(Array.from({ length: count }, () => ping));
    expect(read(frame(512))).toHaveLength(512);
    expect(() => read(frame(513))).toThrow(expect.objectContaining({ code: "too-many-messages" }));
  });
});
