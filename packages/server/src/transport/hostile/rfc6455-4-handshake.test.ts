import { describe, expect, it } from "vitest";
import { frame, PING, PONG } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

describe("RFC 6455 4.2.1: reading the client's handshake", () => {
  it.each([
    ["item 1: another method than GET is refused", 405, { method: "POST" }],
    ["item 1: HTTP before 1.1 is refused", 400, { version: "1.0" }],
    ["item 2: a missing Host is refused", 400, { headers: { Host: undefined } }],
    ["item 2: a second Host is refused", 400, { lines: ["Host: evil.test"] }],
    ["item 3: another protocol in Upgrade is refused", 400, { headers: { Upgrade: "h2c" } }],
    ["item 4: without Upgrade in Connection there is no WebSocket", 404, { headers: { Connection: "keep-alive" } }],
    ["item 5: a missing key is refused", 400, { headers: { "Sec-WebSocket-Key": undefined } }],
    ["item 5: a key of other than 16 bytes is refused", 400, { headers: { "Sec-WebSocket-Key": "c2hvcnQ=" } }],
    ["item 5: a key that is no base64 is refused", 400, { headers: { "Sec-WebSocket-Key": `${"!".repeat(22)}==` } }],
    ["item 6: a missing version is refused", 426, { headers: { "Sec-WebSocket-Version": undefined } }],
    ["item 6: another version is refused", 426, { headers: { "Sec-WebSocket-Version": "8" } }],
  ])("%s", async (_, status, request) => {
    const world = await stage();
    const client = world.knock(request);
    expect(await client.status()).toBe(status);
    if (status !== 404) await client.end();
    expect(client.frames).toEqual([]);
  });

  it("item 3: Upgrade and Connection are compared without regard to case", async () => {
    const world = await stage();
    const headers = { Upgrade: "WebSocket", Connection: "keep-alive, UPGRADE" };
    expect(await world.knock({ headers }).status()).toBe(101);
  });

  it("11.3.1: a second Sec-WebSocket-Key is refused", async () => {
    const world = await stage();
    expect(await world.knock({ lines: ["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA=="] }).status()).toBe(400);
  });

  it("11.3.5: a second Sec-WebSocket-Version is refused", async () => {
    const world = await stage();
    expect(await world.knock({ lines: ["Sec-WebSocket-Version: 13"] }).status()).toBe(426);
  });
});

describe("RFC 6455 4.2.2: the server's handshake", () => {
  it("item 5.4: the accept value is the hash of the key and the GUID", async () => {
    const world = await stage();
    const answer = await world.knock().answer();
    expect(answer).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/);
    expect(answer).toMatch(/\r\nUpgrade: websocket(\r\n|$)/);
    expect(answer).toMatch(/\r\nConnection: Upgrade(\r\n|$)/);
    expect(answer).toMatch(/\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=(\r\n|$)/);
  });

  it("item 4: the subprotocol is one of the client's, and the first of them that is known", async () => {
    const world = await stage();
    const answer = await world
      .knock({ headers: { "Sec-WebSocket-Protocol": "chat, tandem.v1.msgpack, tandem.v1.json" } })
      .answer();
    expect(answer).toMatch(/\r\nSec-WebSocket-Protocol: tandem\.v1\.msgpack(\r\n|$)/);
  });

  it.each([
    ["none", undefined],
    ["only unknown ones", "tandem.v2.json, chat"],
    ["a malformed list", "tandem.v1.json, , a b"],
    ["one twice", "tandem.v1.json, tandem.v1.json"],
  ])("item 4: no subprotocol is made up where the client offers %s: 400", async (_, offer) => {
    const world = await stage();
    expect(await world.knock({ headers: { "Sec-WebSocket-Protocol": offer } }).status()).toBe(400);
  });

  it("item 4: no extension is agreed on that the client did not offer, nor one that is unknown", async () => {
    const world = await stage();
    for (const offer of [undefined, "x-webkit-deflate-frame", "permessage-bzip2; level=9"]) {
      const answer = await world.knock({ headers: { "Sec-WebSocket-Extensions": offer } }).answer();
      expect(answer).toMatch(/^HTTP\/1\.1 101 /);
      expect(answer).not.toContain("Sec-WebSocket-Extensions");
    }
  });

  it("item 4: /name/ is the address that was asked for: at another one there is no WebSocket", async () => {
    const world = await stage();
    for (const target of ["/", "/wss", "/ws/", "/WS", "/%77s", "//ws", "*", "http://tandem.test/ws"]) {
      expect([target, await world.knock({ target }).status()]).toEqual([target, 404]);
    }
  });
});

describe("RFC 6455 4.4: versions", () => {
  it("an unknown version is answered 426 with the one that is spoken", async () => {
    const world = await stage();
    const answer = await world.knock({ headers: { "Sec-WebSocket-Version": "25" } }).end();
    expect(answer).toMatch(/^HTTP\/1\.1 426 /);
    expect(answer).toContain("\r\nSec-WebSocket-Version: 13\r\n");
  });
});

describe("RFC 6455 4.1: the connection is a WebSocket once the server's handshake is out", () => {
  it("frames that came with the handshake are read after it", async () => {
    const world = await stage();
    const client = world.knock();
    client.write(frame(PING, "early"));
    expect(await client.frame(0)).toMatchObject({ opcode: PONG, payload: Buffer.from("early") });
  });
});
