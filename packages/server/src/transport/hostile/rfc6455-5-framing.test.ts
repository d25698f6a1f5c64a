import { constants, deflateRawSync } from "node:zlib";
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
  it("a compressed frame is failed with 1002 where compression was not agreed on", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(TEXT, compressed(ASK), { reserved: 4 }));
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });

  it("a compressed continuation is failed with 1002", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat([frame(TEXT, "[", { fin: false }), frame(CONTINUATION, "]", { reserved: 4 })]));
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });
});

/** What permessage-deflate (RFC 7692, section 7.2.1) makes of a payload. */
function compressed(payload: Uint8Array | string): Buffer {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

const DEFLATE = { headers: { "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits" } };

describe("RFC 7692: compression, where it was agreed on", () => {
  async function open() {
    const world = await stage();
    const client = world.knock(DEFLATE);
    expect(await client.answer()).toContain("Sec-WebSocket-Extensions: permessage-deflate");
    return client;
  }

  it("7.2.2: a compressed message is read, also in pieces", async () => {
    const client = await open();
    const bytes = compressed(ASK);
    client.write(frame(TEXT, bytes.subarray(0, 5), { reserved: 4, fin: false }));
    client.write(frame(CONTINUATION, bytes.subarray(5)));
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it.each([65_537, 1_000_000, 60_000_000])(
    "G11: a bomb of %i bytes is failed by its inflated size with 1009",
    async (size) => {
      const client = await open();
      const before = process.memoryUsage().rss;
      // Far below the bound on frames as it is sent.
      const bomb = compressed(Buffer.alloc(size, 0x20));
      client.write(frame(TEXT, bomb.subarray(0, 60_000), { reserved: 4 }));
      expect(await client.closed()).toMatchObject({ code: 1009 });
      expect(process.memoryUsage().rss - before).toBeLessThan(150_000_000);
    },
  );

  it("G11: a bomb in pieces is failed by its inflated size with 1009", async () => {
    const client = await open();
    const bomb = compressed(Buffer.alloc(10_000_000, 0x20));
    for (let at = 0; at < bomb.length; at += 1_000) {
      client.write(
        frame(at === 0 ? TEXT : CONTINUATION, bomb.subarray(at, at + 1_000), {
          reserved: at === 0 ? 4 : 0,
          fin: false,
        }),
      );
    }
    expect(await client.closed()).toMatchObject({ code: 1009 });
  });

  it.each([
    ["what is no DEFLATE", Buffer.alloc(50, 0xff), 1007],
    ["DEFLATE that ends in the middle of a text", compressed(ASK).subarray(0, 6), 4400],
    ["text that is no UTF-8 once it is inflated", compressed(Buffer.of(0x5b, 0xc3, 0x28, 0x5d)), 1007],
  ])("%s ends the connection", async (_, bytes, code) => {
    const client = await open();
    client.write(frame(TEXT, bytes, { reserved: 4 }));
    expect(await client.closed()).toMatchObject({ code });
  });

  it("6.1: a compressed control frame is failed with 1002", async () => {
    for (const opcode of [PING, PONG, CLOSE]) {
      const client = await open();
      client.write(frame(opcode, compressed("x"), { reserved: 4 }));
      expect(await client.closed()).toMatchObject({ code: 1002 });
    }
  });

  it.each([
    "permessage-deflate; server_max_window_bits=99",
    "permessage-deflate; client_max_window_bits=1",
    "permessage-deflate; unknown=1",
    "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
    `permessage-deflate; ${"x".repeat(8_000)}`,
    ";;;",
  ])("7.1: an offer that cannot be is not agreed on (%s)", async (offer) => {
    const world = await stage();
    const answer = await world.knock({ headers: { "Sec-WebSocket-Extensions": offer } }).answer();
    expect(answer).toMatch(/^HTTP\/1\.1 (101|400) /);
    expect(answer).not.toContain("permessage-deflate");
  });
});
