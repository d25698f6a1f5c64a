import { describe, expect, it } from "vitest";
import { CLOSE, CONTINUATION, closePayload, frame, TEXT } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

const BAD = [
  ["a byte that goes on from nothing", [0x80]],
  ["a letter without its second byte", [0xc3, 0x28]],
  ["a letter cut off at the end", [0xe2, 0x82]],
  ["an overlong slash", [0xc0, 0xaf]],
  ["an overlong NUL", [0xe0, 0x80, 0x80]],
  ["an overlong letter of four bytes", [0xf0, 0x82, 0x82, 0xac]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["a surrogate pair in six bytes", [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
  ["a letter beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
  ["a letter of five bytes", [0xf8, 0x88, 0x80, 0x80, 0x80]],
  ["0xfe", [0xfe]],
  ["0xff", [0xff]],
] as const;

describe("RFC 6455 8.1: text that is no UTF-8", () => {
  it.each(BAD)("%s is failed with 1007", async (_, bytes) => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(TEXT, Buffer.concat([Buffer.from('["'), Buffer.from(bytes), Buffer.from('"]')])));
    expect(await client.closed()).toMatchObject({ code: 1007 });
    expect(client.messages).toEqual([]);
  });

  it.each(BAD)("%s in pieces is failed with 1007", async (_, bytes) => {
    const world = await stage();
    const client = await world.open();
    const [first = 0, ...rest] = bytes;
    client.write(
      Buffer.concat([frame(TEXT, Buffer.of(first), { fin: false }), frame(CONTINUATION, Buffer.from(rest))]),
    );
    expect(await client.closed()).toMatchObject({ code: 1007 });
  });

  it.each(BAD)("5.5.1: %s in the reason of a close is failed with 1007", async (_, bytes) => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(CLOSE, closePayload(1000, Buffer.from(bytes))));
    expect(await client.closed()).toMatchObject({ code: 1007 });
  });

  it("letters of every length are read, up to U+10FFFF and with a non-character", async () => {
    const world = await stage();
    const client = await world.enter();
    const text = "aé€😀\u{10ffff}\ufffe";
    client.say({ type: "subscribe", id: 2, channel: "open:1" });
    await client.told(2);
    client.say({
      type: "publish",
      id: 3,
      channel: "open:1",
      event: "message",
      data: text,
      producer: `${Date.now().toString(36).padStart(8, "0")}-${"u".repeat(22)}`,
      seq: 1,
    });
    expect(await client.told(3)).toMatchObject({ type: "published" });
    await client.until(() => client.messages.some(({ type }) => type === "events"));
    expect(client.messages.find(({ type }) => type === "events")).toMatchObject({ events: [{ data: text }] });
  });
});
