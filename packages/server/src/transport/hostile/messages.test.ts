import { msgpackCodec } from "@tandem/protocol/msgpack";
import { describe, expect, it } from "vitest";
import { BINARY, frame, TEXT } from "./raw-socket.fixture.ts";
import { stage, token } from "./stage.fixture.ts";

const PRODUCER = `${Date.now().toString(36).padStart(8, "0")}-${"m".repeat(22)}`;
const encode = (message: object) => msgpackCodec.encode(message);
const nested = (depth: number, inner: unknown = 1): unknown => (depth === 0 ? inner : [nested(depth - 1, inner)]);
const publish = (data: unknown, more: object = {}) => ({
  type: "publish",
  id: 7,
  channel: "open:1",
  event: "message",
  data,
  producer: PRODUCER,
  seq: 1,
  ...more,
});

describe("messages that are wrong, as JSON", () => {
  const text = (data: string) => JSON.stringify([publish(0)]).replace('"data":0', `"data":${data}`);

  it.each([
    ["nested deeper than 32", text("[".repeat(40) + "]".repeat(40)), "too-deep"],
    ["nested 30,000 deep", text("[".repeat(30_000) + "]".repeat(30_000)), "too-deep"],
    ["with __proto__", text('{"__proto__":{"admin":true}}'), "bad-message"],
    ["with __proto__, escaped", text('{"\\u005f_proto__":{"admin":true}}'), "bad-message"],
    ["with constructor", text('{"constructor":{"prototype":{"admin":true}}}'), "bad-message"],
    ["with a key twice", text('{"a":1,"a":2}'), "bad-message"],
    ["with a key twice, once escaped", text('{"a":1,"\\u0061":2}'), "bad-message"],
    ["with a number out of range", text("1e400"), "bad-message"],
    ["with NUL in a key", text('{"a\\u0000":1}'), "bad-message"],
    ["with half a surrogate pair", text('"\\ud83d"'), "bad-message"],
    ["with its halves the wrong way round", text('"\\ude00\\ud83d"'), "bad-message"],
    ["with a field of a wrong type", text("1").replace('"seq":1', '"seq":"1"'), "bad-message"],
    ["with a number where a text is wanted", text("1").replace('"open:1"', "1"), "bad-message"],
    ["with a list where a text is wanted", text("1").replace('"open:1"', '["open:1"]'), "bad-message"],
    ["with an object where a number is wanted", text("1").replace('"seq":1', '"seq":{"valueOf":1}'), "bad-message"],
    ["with true where a number is wanted", text("1").replace('"seq":1', '"seq":true'), "bad-message"],
    ["of no known type", '[{"type":"eval","id":7}]', "bad-message"],
    ["of a type that is no text", '[{"type":["publish"],"id":7}]', "bad-message"],
    [
      "of a server's type",
      '[{"type":"events","id":7,"channel":"open:1","from":0,"to":1,"tag":"","events":[]}]',
      "bad-message",
    ],
  ])("a message %s is told its code and its request, and the next one is served", async (_, said, code) => {
    const world = await stage();
    const client = await world.enter();
    client.write(frame(TEXT, said));
    expect(await client.told(7)).toMatchObject({ type: "error", code, retryable: false });
    client.say(publish("well", { id: 8 }));
    expect(await client.told(8)).toMatchObject({ type: "published", position: { offset: 1 } });
    expect(({} as { admin?: boolean }).admin).toBeUndefined();
  });

  it.each([
    ["cut off", '[{"type":"ping"'],
    ["with more behind its end", "[]]"],
    ["that is null", "null"],
    ["that is an object", '{"type":"ping"}'],
    ["that is a text", '"ping"'],
    ["that is a number", "1"],
    ["with a comma too many", '[{"type":"ping"},]'],
    ["with a comment", "[/* */]"],
    ["with NaN", "[NaN]"],
    ["with a byte order mark", "\ufeff[]"],
    ["with NUL", "[]\u0000"],
    ["of open brackets only", "[".repeat(60_000)],
  ])("a frame %s is answered bad-frame and ends its connection 4400", async (_, said) => {
    const world = await stage();
    const client = await world.enter();
    client.write(frame(TEXT, said));
    expect(await client.closed()).toEqual({ code: 4400, reason: "bad-frame" });
    expect(client.messages.at(-1)).toMatchObject({ type: "error", code: "bad-frame" });
  });

  it("G11: a key of a megabyte does not come in: 1009", async () => {
    const world = await stage();
    const client = await world.enter();
    client.write(frame(TEXT, text(`{"${"k".repeat(1_000_000)}":1}`)));
    expect(await client.closed()).toMatchObject({ code: 1009 });
  });

  it("G11: 60,000 keys, and keys of 60 KB, stall nothing and are data like any other up to their bound", async () => {
    const world = await stage();
    const client = await world.enter();
    const keys = Array.from({ length: 8_000 }, (_, at) => `"${at.toString(36)}":1`).join(",");
    client.write(frame(TEXT, text(`{${keys}}`)));
    expect(await client.told(7)).toMatchObject({ code: "event-too-large" });
    client.write(
      frame(
        TEXT,
        text(`{"${"k".repeat(60_000)}":1}`)
          .replace('"id":7', '"id":8')
          .replace('"seq":1', '"seq":2'),
      ),
    );
    expect(await client.told(8)).toMatchObject({ code: "event-too-large" });
  });

  it("G11: more messages in a frame than the limit end the connection 4406", async () => {
    const world = await stage();
    const client = await world.enter();
    client.say(...Array.from({ length: 513 }, () => ({ type: "ping" })));
    expect(await client.closed()).toEqual({ code: 4406, reason: "too-many-messages" });
  });

  it("G11: wrong messages without end are told so 19 times, and the twentieth ends the connection 4407", async () => {
    const world = await stage();
    const client = await world.enter();
    client.write(Buffer.concat(Array.from({ length: 50 }, () => frame(TEXT, '[{"type":"eval"}]'))));
    expect(await client.closed()).toEqual({ code: 4407, reason: "too-many-errors" });
    expect(client.messages.filter(({ code }) => code === "bad-message").length).toBeLessThan(20);
  });
});

describe("messages that are wrong, as MessagePack", () => {
  async function enter() {
    const world = await stage();
    const client = await world.open("tandem.v1.msgpack");
    client.write(frame(BINARY, encode({ type: "hello", id: 1, token: await token("mallory") })));
    expect(await client.frame(0)).toMatchObject({ opcode: BINARY });
    const told = async (at: number) => (await client.frame(at))?.payload.toString("latin1");
    return { world, client, told };
  }
  const bytes = (...parts: (number[] | string)[]) => Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const key = (name: string) => [0xa0 | name.length, ...Buffer.from(name)];
  /** A publish whose `data` is these bytes. */
  const raw = (...data: number[]) => {
    const whole = Buffer.from(encode(publish(0)));
    const at = whole.indexOf("data") + 4;
    return Buffer.concat([whole.subarray(0, at), Buffer.from(data), whole.subarray(at + 1)]);
  };

  it.each([
    ["nested deeper than 32", encode(publish(nested(33))), "too-deep"],
    ["nested 20,000 deep", raw(...Array.from({ length: 20_000 }, () => 0x91), 0x01), "too-deep"],
    ["with __proto__", raw(0x81, ...key("__proto__"), 0x80), "bad-"],
    ["with constructor", raw(0x81, ...key("constructor"), 0x01), "bad-message"],
    ["with a key twice", raw(0x82, ...key("a"), 0x01, ...key("a"), 0x02), "bad-message"],
    ["with NaN", raw(0xcb, 0x7f, 0xf8, 0, 0, 0, 0, 0, 0), "bad-message"],
    ["with infinity", raw(0xcb, 0x7f, 0xf0, 0, 0, 0, 0, 0, 0), "bad-message"],
    ["with bytes", raw(0xc4, 0x02, 0x01, 0x02), "bad-message"],
    ["with an extension", raw(0xd4, 0x05, 0x01), "bad-message"],
    ["with a time", raw(0xd6, 0xff, 0, 0, 0, 1), "bad-message"],
    ["with NUL", raw(0xa1, 0x00), "bad-message"],
  ])("a message %s is refused, and the next one is served", async (_, said, code) => {
    const { client, told } = await enter();
    client.write(frame(BINARY, said));
    expect(await told(1)).toContain(code);
    if (client.frames.length > 2) return;
    client.write(frame(BINARY, encode(publish("well", { id: 8 }))));
    expect(await told(2)).toContain("published");
  });

  it("with an integer of 64 bits beyond 2^53 in a field is refused", async () => {
    const { client, told } = await enter();
    const whole = Buffer.from(encode(publish(0)));
    const at = whole.indexOf("seq") + 3;
    const said = Buffer.concat([whole.subarray(0, at), bytes([0xcf, 0, 0x40, 0, 0, 0, 0, 0, 1])]);
    client.write(frame(BINARY, said));
    expect(await told(1)).toContain("bad-message");
  });

  it.each([
    ["cut off", [0x81, 0xa4, 0x74]],
    ["of a byte that means nothing", [0xc1]],
    ["of a map that promises 4 billion entries", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["of a text that promises 4 gigabytes", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["of bytes that promise 4 gigabytes", [0xc6, 0xff, 0xff, 0xff, 0xff]],
    ["of an extension that promises 4 gigabytes", [0xc9, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["with a key that is a number", [0x81, 0x01, 0x01]],
    ["with a key that is a list", [0x81, 0x90, 0x01]],
    ["of texts that are JSON", [...Buffer.from("[]]")].map((byte) => byte | 0x80)],
  ])("a frame %s ends its connection 4400", async (_, said) => {
    const { client } = await enter();
    client.write(frame(BINARY, Buffer.from(said)));
    expect(await client.closed()).toMatchObject({ code: 4400 });
  });

  it("a text that is no UTF-8 is no message", async () => {
    const { client } = await enter();
    client.write(frame(BINARY, raw(0xa2, 0xc3, 0x28)));
    await client.frame(1);
    expect(client.frames[1]?.payload.toString("latin1")).toMatch(/bad-|published/);
  });
});
