import { describe, expect, it } from "vitest";
import { CLOSE, closePayload, frame, PING, PONG, TEXT } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

describe("RFC 6455 5.5: control frames", () => {
  it.each([
    ["close", CLOSE],
    ["ping", PING],
    ["pong", PONG],
  ])("a %s of more than 125 bytes is failed with 1002", async (_, opcode) => {
    const world = await stage();
    for (const payload of [Buffer.alloc(126, 97), Buffer.alloc(65_536, 97)]) {
      const client = await world.open();
      client.write(frame(opcode, payload));
      expect(await client.closed()).toMatchObject({ code: 1002 });
    }
  });

  it.each([
    ["close", CLOSE],
    ["ping", PING],
    ["pong", PONG],
  ])("a fragmented %s is failed with 1002", async (_, opcode) => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(opcode, "", { fin: false }));
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });
});

describe("RFC 6455 5.5.2, 5.5.3: ping and pong", () => {
  it.each([0, 1, 125])("a ping of %i bytes is answered by a pong with the same bytes", async (length) => {
    const world = await stage();
    const client = await world.open();
    const payload = Buffer.alloc(length, 0xff);
    client.write(frame(PING, payload));
    expect(await client.frame(0)).toEqual({ fin: true, reserved: 0, opcode: PONG, masked: false, payload });
  });

  it("pings are answered in their order", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat(Array.from({ length: 40 }, (_, at) => frame(PING, `${at}`))));
    await client.frame(39);
    expect(client.frames.map(({ payload }) => payload.toString())).toEqual(
      Array.from({ length: 40 }, (_, at) => `${at}`),
    );
  });

  it("a pong that nobody asked for is passed over", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat([frame(PONG, "unasked"), frame(PING, "next")]));
    expect(await client.frame(0)).toMatchObject({ opcode: PONG, payload: Buffer.from("next") });
  });

  it("G12: a ping does not put off the end of who never says hello, and none is answered after a close", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat([frame(CLOSE, closePayload(1000)), frame(PING, "late")]));
    await client.end();
    expect(client.frames.map(({ opcode }) => opcode)).toEqual([CLOSE]);
  });

  it.each([
    ["pings", PING],
    ["pongs", PONG],
  ])("G11: a flood of %s is failed with 1008", async (_, opcode) => {
    const world = await stage();
    const client = await world.open();
    client.write(Buffer.concat(Array.from({ length: 200 }, () => frame(opcode, "x"))));
    expect(await client.closed()).toMatchObject({ code: 1008 });
  });

  it("G11: who floods with pings and does not read the answers is cut", async () => {
    const world = await stage();
    const client = await world.open();
    client.socket.pause();
    client.write(Buffer.concat(Array.from({ length: 5_000 }, () => frame(PING, Buffer.alloc(125)))));
    await expect.poll(() => world.server.connections, { timeout: 10_000 }).toBe(1);
  });

  it("a ping among messages takes nothing from their order", async () => {
    const world = await stage();
    const client = await world.enter();
    const ask = (id: number) => frame(TEXT, `[{"type":"history","id":${id},"channel":"room:1","limit":1}]`);
    client.write(Buffer.concat([ask(2), frame(PING, "x"), ask(3), frame(PING, "y"), ask(4)]));
    await client.told(4);
    expect(client.messages.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });
});
