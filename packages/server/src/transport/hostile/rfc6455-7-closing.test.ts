import { describe, expect, it } from "vitest";
import { CLOSE, closePayload, frame, TEXT } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

describe("RFC 6455 5.5.1, 7.1: the closing handshake", () => {
  it.each([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 4000, 4999])(
    "a close with %i is answered with the same code",
    async (code) => {
      const world = await stage();
      const client = await world.open();
      client.close(code, "bye");
      expect(await client.closed()).toMatchObject({ code });
      await client.end();
    },
  );

  it("7.1.5: a close without a code is answered by one without", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(CLOSE));
    expect(await client.closed()).toEqual({ code: 1005, reason: "" });
  });

  it("7.1.1: the server ends the TCP connection first, and one that was served holds nothing back", async () => {
    const world = await stage();
    const client = await world.enter();
    client.write(frame(CLOSE, closePayload(1000)));
    await client.end();
    await expect.poll(() => world.server.connections).toBe(1);
  });

  it("5.5.1: nothing is read after a close", async () => {
    const world = await stage();
    const client = await world.enter();
    client.write(
      Buffer.concat([
        frame(CLOSE, closePayload(1000)),
        frame(TEXT, '[{"type":"history","id":9,"channel":"room:1","limit":1}]'),
        frame(CLOSE, closePayload(1001)),
        Buffer.alloc(10_000, 0xff),
      ]),
    );
    await client.end();
    expect(client.messages.filter(({ id }) => id === 9)).toEqual([]);
    expect(client.frames.filter(({ opcode }) => opcode === CLOSE)).toHaveLength(1);
  });

  it("7.1.7: after failing a connection nothing more is read from it", async () => {
    const world = await stage();
    const client = await world.enter();
    client.write(
      Buffer.concat([
        frame(TEXT, "[]", { mask: null }),
        frame(TEXT, '[{"type":"history","id":9,"channel":"room:1","limit":1}]'),
      ]),
    );
    expect(await client.closed()).toMatchObject({ code: 1002 });
    expect(client.messages.filter(({ id }) => id === 9)).toEqual([]);
  });

  it("7.1.1: who does not answer the server's close is cut", async () => {
    const world = await stage();
    const client = await world.open();
    client.say({ type: "ping" });
    expect(await client.closed()).toEqual({ code: 4401, reason: "not-authenticated" });
    await client.end();
    await expect.poll(() => world.server.connections).toBe(1);
  });

  it("7.3, 7.1.4: a TCP connection that is gone without a close costs nobody else anything", async () => {
    const world = await stage();
    const clients = await Promise.all(Array.from({ length: 20 }, () => world.enter()));
    clients.forEach((client, at) => {
      if (at % 2) client.socket.resetAndDestroy();
      else client.socket.end();
    });
    await expect.poll(() => world.server.connections).toBe(1);
  });
});

describe("RFC 6455 5.5.1, 7.4: close codes", () => {
  it("a close of one byte is failed with 1002", async () => {
    const world = await stage();
    const client = await world.open();
    client.write(frame(CLOSE, Buffer.of(3)));
    expect(await client.closed()).toMatchObject({ code: 1002 });
  });

  it.each([0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])(
    "7.4.1, 7.4.2: the code %i may not be sent, and is failed with 1002",
    async (code) => {
      const world = await stage();
      const client = await world.open();
      client.write(frame(CLOSE, closePayload(code)));
      expect(await client.closed()).toMatchObject({ code: 1002 });
    },
  );
});
