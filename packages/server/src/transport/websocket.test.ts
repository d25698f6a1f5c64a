import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { connect } from "node:net";
import type { Encoded } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Transport } from "../connection/transport.ts";
import { Frame } from "../delivery/frame.ts";
import { trustedProxies } from "./client-address.ts";
import { WebSockets } from "./websocket.ts";

/** A connection as the server saw it. */
interface Seen {
  readonly transport: Transport;
  readonly frames: Encoded[];
  closed: { code: number; reason: string } | undefined;
}

/** Sends one frame in a flush of its own. */
function send(transport: Transport | undefined, payload: Uint8Array): void {
  transport?.send(new Frame(payload));
  transport?.flush(true);
}

let http: Server;
let webSockets: WebSockets;
let seen: Seen[];
let lines: Record<string, unknown>[];
let sockets: Socket[];

function start(options: Partial<ConstructorParameters<typeof WebSockets>[0]> = {}): Promise<void> {
  const logger: Logger = { ...silentLogger, warn: (fields) => void lines.push(fields) };
  webSockets = new WebSockets({
    path: "/ws",
    limits: { frameBytes: 65_536 },
    origins: undefined,
    trusted: trustedProxies([]),
    maxConnections: 3,
    compressAbove: 1_024,
    runtime: systemRuntime(logger),
    accept(transport) {
      const one: Seen = { transport, frames: [], closed: undefined };
      seen.push(one);
      return {
        frame: (frame) => {
          if (frame === "explode") throw new Error("a secret of the server's");
          one.frames.push(frame);
          send(transport, Buffer.from(typeof frame === "string" ? `echo ${frame}` : frame));
        },
        end() {},
        closed: (code, reason) => {
          one.closed = { code, reason };
        },
      };
    },
    ...options,
  });
  http = createServer((_, response) => response.writeHead(404).end());
  http.on("upgrade", (request, socket, head) => {
    if (!webSockets.upgrade(request, socket, head)) socket.destroy();
  });
  return new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
}

beforeEach(async () => {
  seen = [];
  lines = [];
  sockets = [];
  await start();
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  webSockets.destroy();
  await new Promise((resolve) => http.close(resolve));
});

const port = () => (http.address() as AddressInfo).port;

const GOOD = {
  Host: "tandem.test",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": "tandem.v1.json",
};

/** A client that says exactly what it is told to, and collects what comes back. */
function raw(headers: Record<string, string | undefined> = {}, target = "/ws", method = "GET") {
  const socket = connect(port(), "127.0.0.1");
  sockets.push(socket);
  let received = Buffer.alloc(0);
  let ended = false;
  const waiting = new Set<() => void>();
  const changed = () => {
    for (const look of waiting) look();
  };
  socket.on("data", (data) => {
    received = Buffer.concat([received, data]);
    changed();
  });
  socket.on("close", () => {
    ended = true;
    changed();
  });
  socket.on("error", () => changed());
  const lines = Object.entries({ ...GOOD, ...headers }).filter(([, value]) => value !== undefined);
  socket.write(`${method} ${target} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`);
  const until = (condition: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!condition() && !ended) return;
        waiting.delete(look);
        resolve();
      };
      waiting.add(look);
      look();
    });
  return {
    socket,
    /** The head of the answer, once it is whole. */
    async answer() {
      await until(() => received.includes("\r\n\r\n"));
      return received.toString("latin1");
    },
    async status() {
      return Number((await this.answer()).split(" ")[1]);
    },
    /** The whole answer, once the server has closed. */
    async end() {
      await until(() => ended);
      return received.toString("latin1");
    },
    /** The bytes after the handshake, once there are `length`. */
    async bytes(length: number) {
      await this.answer();
      const start = received.indexOf("\r\n\r\n") + 4;
      await until(() => received.length >= start + length);
      return received.subarray(start);
    },
    /** The code of the close frame that the server sent. */
    async closeCode() {
      let at = -1;
      await until(() => {
        const start = received.indexOf("\r\n\r\n") + 4;
        // A close frame is the last one: its length reaches to the end.
        at = received.findIndex(
          (byte, index) =>
            byte === 0x88 && index >= start && index + 2 + (received[index + 1] ?? 0) === received.length,
        );
        return at !== -1;
      });
      expect(at).not.toBe(-1);
      return received.readUInt16BE(at + 2);
    },
  };
}

/** A frame of a client's, masked with zeros unless told otherwise. */
function frame(
  first: number,
  payload: Buffer | string = "",
  options: { masked?: boolean; length?: number[] } = {},
): Buffer {
  const body = Buffer.from(payload);
  const mask = options.masked === false ? 0 : 0x80;
  const length = options.length ?? (body.length < 126 ? [body.length] : [126, body.length >>> 8, body.length & 255]);
  const head = Buffer.from([first, (length[0] ?? 0) | mask, ...length.slice(1), ...(mask ? [0, 0, 0, 0] : [])]);
  return Buffer.concat([head, body]);
}

describe("handshake", () => {
  it("opens with the right key, and takes the first subprotocol it knows in the client's order", async () => {
    const client = raw({ "Sec-WebSocket-Protocol": "graphql-ws, tandem.v1.msgpack, tandem.v1.json" });
    const answer = await client.answer();
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    expect(answer).toContain("Sec-WebSocket-Protocol: tandem.v1.msgpack\r\n");
    expect(seen[0]?.transport.codec.name).toBe("msgpack");
    expect(seen[0]?.transport.address).toBe("127.0.0.1");
  });

  it.each([
    ["a missing key", 400, { "Sec-WebSocket-Key": undefined }],
    ["a short key", 400, { "Sec-WebSocket-Key": "c2hvcnQ=" }],
    ["a key that is no base64", 400, { "Sec-WebSocket-Key": "!!!!!!!!!!!!!!!!!!!!!!==" }],
    ["another version", 426, { "Sec-WebSocket-Version": "8" }],
    ["no version", 426, { "Sec-WebSocket-Version": undefined }],
    ["another protocol", 400, { Upgrade: "h2c" }],
    ["no subprotocol", 400, { "Sec-WebSocket-Protocol": undefined }],
    ["only unknown subprotocols", 400, { "Sec-WebSocket-Protocol": "tandem.v2.json, chat" }],
    ["a malformed list of subprotocols", 400, { "Sec-WebSocket-Protocol": "tandem.v1.json, , a b" }],
    ["a foreign origin", 403, { Origin: "https://evil.test" }],
    ["the origin null", 403, { Origin: "null" }],
    ["an origin that begins like ours", 403, { Origin: "https://tandem.test.evil.test" }],
    ["an origin that ends like ours", 403, { Origin: "https://eviltandem.test" }],
    ["an origin with ours as its user", 403, { Origin: "https://tandem.test@evil.test" }],
    ["an origin with a path", 403, { Origin: "https://tandem.test/" }],
    ["another port of ours", 403, { Origin: "https://tandem.test:8443" }],
    ["an origin of another scheme", 403, { Origin: "file://tandem.test" }],
    ["an origin in other letters", 403, { Origin: "https://tandem.tеst" }],
    ["more than 100 headers", 431, Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`a${at}`, "b"]))],
    ["2,000 headers", 431, Object.fromEntries(Array.from({ length: 2_000 }, (_, at) => [`a${at}`, "b"]))],
    ["headers over 16 KB", 431, { Cookie: "x".repeat(20_000) }],
  ])("refuses %s with %i", async (_, status, headers) => {
    const client = raw(headers as Record<string, string>);
    expect(await client.status()).toBe(status);
    await client.end();
    expect(seen).toHaveLength(0);
  });

  it("says which version it speaks", async () => {
    expect(await raw({ "Sec-WebSocket-Version": "7" }).end()).toContain("Sec-WebSocket-Version: 13\r\n");
  });

  it.each(["token=a", "x=1&access_token=a", "JWT=a", "ticket=a", "%74oken=a"])(
    "refuses ?%s with a sentence",
    async (query) => {
      const answer = await raw({}, `/ws?${query}`).end();
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain("a token goes into the first message");
      expect(JSON.stringify(lines)).not.toContain("=a");
    },
  );

  it("takes any other query", async () => {
    expect(await raw({}, "/ws?room=42").status()).toBe(101);
  });

  it("refuses another method with 405", async () => {
    expect(await raw({}, "/ws", "POST").status()).toBe(405);
  });

  it.each(["http://tandem.test", "https://tandem.test", undefined])(
    "lets in a page of the same host (%s)",
    async (origin) => {
      expect(await raw({ Origin: origin }).status()).toBe(101);
    },
  );

  it("with a list of origins lets in those and not even its own host", async () => {
    webSockets.destroy();
    await new Promise((resolve) => http.close(resolve));
    await start({ origins: ["https://app.test"] });
    expect(await raw({ Origin: "https://app.test" }).status()).toBe(101);
    expect(await raw({ Origin: "https://tandem.test" }).status()).toBe(403);
    expect(await raw({ Origin: "http://app.test" }).status()).toBe(403);
  });

  it("turns away with 503 and a hint whoever is one too many, and lets the next in once there is room", async () => {
    const first = raw();
    await Promise.all([first, raw(), raw()].map((client) => client.status()));
    const answer = await raw().end();
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain("Retry-After: 5\r\n");
    expect(answer).toContain("server-full");
    first.socket.destroy();
    await expect.poll(() => webSockets.size).toBe(2);
    expect(await raw().status()).toBe(101);
  });

  it("turns everyone away while it drains", async () => {
    webSockets.drain();
    const answer = await raw().end();
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain("shutting-down");
  });

  it("leaves other paths alone", async () => {
    const client = raw({}, "/wss");
    await client.end();
    expect(await client.end()).toBe("");
    expect(lines).toEqual([]);
  });

  it("believes X-Forwarded-For from nobody", async () => {
    await raw({ "X-Forwarded-For": "203.0.113.9" }).status();
    expect(seen[0]?.transport.address).toBe("127.0.0.1");
  });

  it("believes it from a trusted proxy, as far as proxies wrote it", async () => {
    webSockets.destroy();
    await new Promise((resolve) => http.close(resolve));
    await start({ trusted: trustedProxies(["127.0.0.0/8", "10.0.0.0/8"]) });
    await raw({ "X-Forwarded-For": "1.1.1.1, 203.0.113.9, 10.2.3.4" }).status();
    expect(seen[0]?.transport.address).toBe("203.0.113.9");
    await raw({ "X-Forwarded-For": "<script>" }).status();
    expect(seen[1]?.transport.address).toBe("127.0.0.1");
  });

  it("puts no stack into what it answers", async () => {
    const answer = await raw({ "Sec-WebSocket-Protocol": "tandem.v1.json, , a b" }).end();
    expect(answer).not.toMatch(/\bat .*:\d+:\d+|node_modules/);
  });
});

describe("frames", () => {
  it("hands texts over as texts and bytes as bytes, and answers in the codec's form", async () => {
    const client = raw();
    await client.status();
    client.socket.write(Buffer.concat([frame(0x81, "häl"), frame(0x82, Buffer.of(1, 2))]));
    expect((await client.bytes(15)).toString("latin1")).toBe(
      Buffer.concat([
        frame(0x81, "echo häl", { masked: false }),
        frame(0x81, Buffer.of(1, 2), { masked: false }),
      ]).toString("latin1"),
    );
    expect(seen[0]?.frames).toEqual(["häl", Buffer.of(1, 2)]);
  });

  it.each([0, 1, 125, 126, 127, 65_535, 65_536, 100_000])(
    "sends %i bytes that a client reads as one message",
    async (length) => {
      const client = new WebSocket(`ws://127.0.0.1:${port()}/ws`, "tandem.v1.msgpack");
      await new Promise((resolve) => client.once("open", resolve));
      const message = new Promise<Buffer>((resolve) => client.once("message", (data) => resolve(data as Buffer)));
      send(seen[0]?.transport, new Uint8Array(length).fill(7));
      expect((await message).equals(Buffer.alloc(length, 7))).toBe(true);
      client.terminate();
    },
  );

  it("keeps the order of what is sent and the close after it, and sends nothing more", async () => {
    const client = new WebSocket(`ws://127.0.0.1:${port()}/ws`, "tandem.v1.json");
    await new Promise((resolve) => client.once("open", resolve));
    const got: string[] = [];
    client.on("message", (data) => got.push(String(data)));
    const closed = new Promise<[number, string]>((resolve) =>
      client.once("close", (code, reason) => resolve([code, reason.toString()])),
    );
    const transport = seen[0]?.transport;
    for (let at = 0; at < 100; at++) send(transport, Buffer.from(`${at}`));
    transport?.close(4500, "shutting-down");
    send(transport, Buffer.from("late"));
    expect(await closed).toEqual([4500, "shutting-down"]);
    expect(got).toEqual(Array.from({ length: 100 }, (_, at) => `${at}`));
    await expect.poll(() => seen[0]?.closed).toEqual({ code: 4500, reason: "shutting-down" });
    expect(webSockets.size).toBe(0);
  });

  it.each([
    ["an unmasked frame", 1002, frame(0x81, "hi", { masked: false })],
    ["a reserved bit", 1002, frame(0xc1, "hi")],
    ["a reserved opcode", 1002, frame(0x83, "hi")],
    ["a reserved control opcode", 1002, frame(0x8b)],
    ["a fragmented ping", 1002, frame(0x09)],
    ["an oversized ping", 1002, frame(0x89, Buffer.alloc(126))],
    ["a continuation of nothing", 1002, frame(0x80, "hi")],
    ["a message inside a message", 1002, Buffer.concat([frame(0x01, "a"), frame(0x81, "b")])],
    ["a close frame of one byte", 1002, frame(0x88, Buffer.of(3))],
    ["a close code that may not be sent", 1002, frame(0x88, Buffer.of(0x03, 0xee))],
    ["bad UTF-8", 1007, frame(0x81, Buffer.of(0xc3, 0x28))],
    ["a surrogate in UTF-8", 1007, frame(0x81, Buffer.of(0xed, 0xa0, 0x80))],
    ["bad UTF-8 in a close", 1007, frame(0x88, Buffer.of(0x03, 0xe8, 0xc3, 0x28))],
    ["a length of 2^63", 1009, frame(0x82, "", { length: [127, 0x80, 0, 0, 0, 0, 0, 0, 0] })],
    ["a length of 2^53 and one", 1009, frame(0x82, "", { length: [127, 0, 0x20, 0, 0, 0, 0, 0, 1] })],
    ["one byte over the limit", 1009, frame(0x82, "", { length: [127, 0, 0, 0, 0, 0, 1, 0, 1] })],
    [
      "fragments over the limit",
      1009,
      Buffer.concat([0x02, 0, 0, 0, 0].map((first) => frame(first, Buffer.alloc(16_000)))),
    ],
    [
      "endless tiny fragments",
      1008,
      Buffer.concat([frame(0x01, "a"), ...Array.from({ length: 300 }, () => frame(0x00, "a"))]),
    ],
    ["endless empty fragments", 1008, Buffer.concat([frame(0x01), ...Array.from({ length: 300 }, () => frame(0x00))])],
    ["a compressed frame that was not agreed on", 1002, frame(0xc2, "hi")],
  ])("closes on %s with %i, and serves the others", async (_, code, bytes) => {
    const good = raw();
    const bad = raw();
    await Promise.all([good.status(), bad.status()]);
    bad.socket.write(bytes);
    expect(await bad.closeCode()).toBe(code);
    good.socket.write(frame(0x81, "still here"));
    expect((await good.bytes(17)).subarray(2).toString()).toBe("echo still here");
    expect(seen.flatMap((one) => one.frames)).toEqual(["still here"]);
    bad.socket.end();
    await expect.poll(() => seen.filter((one) => one.closed)).toHaveLength(1);
    expect(lines).toHaveLength(1);
  });

  it("closes on a flood of pings with 1008", async () => {
    const client = raw();
    await client.status();
    client.socket.write(Buffer.concat(Array.from({ length: 200 }, () => frame(0x89, "x"))));
    expect(await client.closeCode()).toBe(1008);
  });

  it("closes on a flood of pongs with 1008", async () => {
    const client = raw();
    await client.status();
    client.socket.write(Buffer.concat(Array.from({ length: 200 }, () => frame(0x8a, "x"))));
    expect(await client.closeCode()).toBe(1008);
  });

  it("cuts a client that pings and does not read the answers", async () => {
    const client = raw();
    await client.status();
    client.socket.pause();
    const flood = Buffer.concat(Array.from({ length: 5_000 }, () => frame(0x89, Buffer.alloc(125))));
    client.socket.write(flood);
    await expect.poll(() => seen[0]?.closed, { timeout: 10_000 }).toBeDefined();
  });

  it("answers a ping", async () => {
    const client = raw();
    await client.status();
    client.socket.write(frame(0x89, "x"));
    expect(await client.bytes(3)).toEqual(frame(0x8a, "x", { masked: false }));
  });

  it("closes with `internal` when a frame cannot be handled, and tells nothing of why", async () => {
    const client = raw();
    await client.status();
    client.socket.write(frame(0x81, "explode"));
    expect(await client.closeCode()).toBe(4003);
    client.socket.end();
    expect(await client.end()).not.toContain("secret");
  });

  it("tells that a connection was cut", async () => {
    const client = raw();
    await client.status();
    client.socket.resetAndDestroy();
    await expect.poll(() => seen[0]?.closed?.code).toBe(1006);
  });

  it("counts what the socket has not taken, and drops it when destroyed", async () => {
    const client = raw();
    await client.status();
    client.socket.pause();
    const transport = seen[0]?.transport;
    for (let at = 0; at < 200; at++) send(transport, Buffer.alloc(60_000));
    expect(transport?.buffered()).toBeGreaterThan(1_000_000);
    transport?.destroy();
    await expect.poll(() => seen[0]?.closed?.code).toBe(1006);
  });
});
