import { describe, expect, it } from "vitest";
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

/** A message that is answered. */
const ASK = '[{"type":"hello","id":7,"token":"x"}]';

describe("RFC 6455 5.1: masking", () => {
  it.each([
    ["a text", TEXT, ASK],
    ["bytes", BINARY, "x"],
    ["a ping", PING, ""],
    ["a close", CLOSE, ""],
    ["an empty text", TEXT, ""],
  ])("an unmasked frame is failed with 1002: %s", async (_, opcode, payload) => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(opcode, payload, { mask: null }));
    expect(await client.closed()).toMatchObject({ code: 1002 });
    expect(client.messages).toEqual([]);
  });

  it("a server masks no frame: texts, pongs, closes", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat([frame(PING, "x"), frame(TEXT, ASK)]));
    await client.closed();
    expect(client.frames.map(({ opcode, masked }) => [opcode, masked])).toEqual([
      [PONG, false],
      [TEXT, false],
      [CLOSE, false],
    ]);
  });

  it("5.3: every key unmasks, zeros too", async () => {
    const world = await stage();
    for (const mask of [[0, 0, 0, 0] as const, [255, 255, 255, 255] as const, [1, 0, 0, 128] as const]) {
      const client = await world.open();
      client.write(frame(TEXT, ASK, { mask }));
      expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
    }
  });
});

describe("RFC 6455 5.2: the base framing", () => {
  it.each([1, 2, 3, 4, 5, 6, 7])(
    "reserved bits %i are failed with 1002: no extension gave them a meaning",
    async (reserved) => {
      const world = await stage();
      for (const opcode of [TEXT, BINARY, PING, CLOSE]) {
        const client = await world.open();
        client.write(frame(opcode, "", { reserved }));
        expect(await client.closed()).toMatchObject({ code: 1002 });
      }
    },
  );

  it.each([0x3, 0x4, 0x5, 0x6, 0x7, 0xb, 0xc, 0xd, 0xe, 0xf])(
    "the reserved opcode %i is failed with 1002",
    async (opcode) => {
      const world = await stage();
      for (const fin of [true, false]) {
        const client = await world.open();
        client.write(frame(opcode, "", { fin }));
        expect(await client.closed()).toMatchObject({ code: 1002 });
      }
    },
  );

  it.each([
    ["16 bits", 16],
    ["64 bits", 64],
  ] as const)("a length of %s is read, also where fewer would do", async (_, width) => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(TEXT, ASK, { width }));
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it.each([
    ["with its most significant bit set", 1n << 63n],
    ["of 2^64 - 1", (1n << 64n) - 1n],
    ["of 2^53 and one", (1n << 53n) + 1n],
    ["of 2^32", 1n << 32n],
    ["of 64 KB and one", 65_537n],
  ])("a 64-bit length %s is failed with 1009 before any of it comes, and asks for no memory", async (_, length) => {
    const world = await stage();
    const client = await world.open();
    const before = process.memoryUsage().arrayBuffers;
    client.write(frame(BINARY, "", { width: 64, length }));
    expect(await client.closed()).toMatchObject({ code: 1009 });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16_000_000);
  });

  it("a frame of the whole limit is read", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(TEXT, ASK.padEnd(65_536)));
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it("a frame that comes byte by byte is one frame", async () => {
    const world = await stage();
    const client = await world.open();
    for (const byte of frame(TEXT, ASK)) {
      client.write(Buffer.of(byte));
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it("a frame that ends in the middle costs nothing but its connection", async () => {
    const world = await stage();
    const whole = frame(TEXT, ASK);
    for (const length of [1, 2, 5, 6, whole.length - 1]) {
      const client = await world.open();
      client.write(whole.subarray(0, length));
      client.socket.end();
      await client.end();
      expect(client.messages).toEqual([]);
    }
  });
});

describe("RFC 6455 5.6: data frames", () => {
  it.each([
    ["a text of no letters", frame(TEXT)],
    ["bytes where texts were agreed on", frame(BINARY, ASK)],
    ["a text that is no message", frame(TEXT, "hello")],
  ])("%s is a message, and one that the protocol does not know: 4400", async (_, bytes) => {
    const world = await stage();
    const client = await world.open();
    client.write(bytes);
    expect(await client.closed()).toEqual({ code: 4400, reason: "bad-frame" });
  });
});

describe("RFC 6455 5.8, 9: extensions", () => {
  it("no compression is agreed on, and a compressed frame is failed with 1002", async () => {
    const world = await stage();
    const client = world.knock({
      headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" },
    });
    expect(await client.answer()).not.toContain("permessage-deflate");
    client.write(frame(TEXT, Buffer.alloc(1_000), { reserved: 4 }));
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });

  it("a compressed continuation is failed with 1002", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat([frame(TEXT, "[", { fin: false }), frame(CONTINUATION, "]", { reserved: 4 })]));
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });
});
