import { describe, expect, it } from "vitest";
import { BINARY, CLOSE, CONTINUATION, frame, PING, PONG, TEXT } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

const ASK = '[{"type":"hello","id":7,"token":"é"}]';
const more = { fin: false };

describe("RFC 6455 5.4: fragmentation", () => {
  it("the pieces of a message are one message, wherever it was cut", async () => {
    const world = await stage();
    const bytes = Buffer.from(ASK);
    for (let at = 0; at <= bytes.length; at += 5) {
      const client = await world.open();
      client.write(frame(TEXT, bytes.subarray(0, at), more));
      client.write(frame(CONTINUATION, bytes.subarray(at)));
      expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
    }
  });

  it("8.1: a letter may be cut in two by a fragment's end", async () => {
    const world = await stage();
    const client = await world.open();
    const bytes = Buffer.from(ASK);
    const at = bytes.indexOf(0xc3) + 1;
    client.write(Buffer.concat([frame(TEXT, bytes.subarray(0, at), more), frame(CONTINUATION, bytes.subarray(at))]));
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it("a control frame may come between the pieces, and is answered before the message", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(
      Buffer.concat([frame(TEXT, ASK.slice(0, 9), more), frame(PING, "mid"), frame(CONTINUATION, ASK.slice(9))]),
    );
    expect(await client.frame(0)).toMatchObject({ opcode: PONG, payload: Buffer.from("mid") });
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it("pieces may be empty", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(
      Buffer.concat([
        frame(TEXT, "", more),
        frame(CONTINUATION, ASK, more),
        frame(CONTINUATION, "", more),
        frame(CONTINUATION),
      ]),
    );
    expect(await client.told(7)).toMatchObject({ code: "token-invalid" });
  });

  it.each([
    ["a continuation of nothing", frame(CONTINUATION, ASK)],
    ["a first piece of nothing that claims to go on", frame(CONTINUATION, "[", more)],
    [
      "a continuation after the last piece",
      Buffer.concat([frame(TEXT, "", more), frame(CONTINUATION, "[]"), frame(CONTINUATION, "x")]),
    ],
    ["a text inside a text", Buffer.concat([frame(TEXT, "[", more), frame(TEXT, ASK)])],
    ["bytes inside a text", Buffer.concat([frame(TEXT, "[", more), frame(BINARY, "x")])],
    ["a fragmented message inside another", Buffer.concat([frame(TEXT, "[", more), frame(TEXT, "[", more)])],
    ["an unmasked continuation", Buffer.concat([frame(TEXT, "[", more), frame(CONTINUATION, "]", { mask: null })])],
  ])("%s ends the connection", async (_, bytes) => {
    const world = await stage();
    const client = await world.open();
    client.write(bytes);
    // An empty list of messages before `hello` is no offence; the piece after it is.
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });

  it("a close inside a message is answered, and the message is not", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat([frame(TEXT, ASK, more), frame(CLOSE, Buffer.of(3, 232))]));
    expect(await client.closed()).toMatchObject({ code: 1000 });
    expect(client.messages).toEqual([]);
  });
});

describe("RFC 6455 10.4: bounds on fragments", () => {
  it("pieces that are over the limit together are failed with 1009", async () => {
    const world = await stage();
    const client = await world.open();
    const piece = Buffer.alloc(16_000, 0x20);
    client.write(
      Buffer.concat([frame(TEXT, piece, more), ...Array.from({ length: 4 }, () => frame(CONTINUATION, piece, more))]),
    );
    expect(await client.closed()).toMatchObject({ code: 1009 });
  });

  it.each([
    ["one byte", "a"],
    ["no byte", ""],
  ])("endless pieces of %s are failed with 1008", async (_, piece) => {
    const world = await stage();
    const client = await world.open();
    client.write(
      Buffer.concat([frame(TEXT, piece, more), ...Array.from({ length: 300 }, () => frame(CONTINUATION, piece, more))]),
    );
    expect(await client.closed()).toMatchObject({ code: 1008 });
  });

  it("a frame in thousands of packets of one byte keeps the bound on what waits", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(TEXT, "", { length: 60_000 }));
    for (let at = 0; at < 6_000 && !client.ended; at++) {
      client.write(" ");
      if (at % 4 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await world.control.served();
    client.socket.destroy();
  });
});
