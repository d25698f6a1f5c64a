import type { Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Encoded } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { Transport } from "../connection/transport.ts";
import { Frame } from "../delivery/frame.ts";
import { trustedProxies } from "./client-address.ts";
import type { Handshake } from "./hostile/raw-socket.fixture.ts";
import { BINARY, frame, handshake, RawSocket, TEXT } from "./hostile/raw-socket.fixture.ts";
import { Room } from "./room.ts";
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
let room: Room;
let seen: Seen[];
let lines: Record<string, unknown>[];
let sockets: Socket[];

function start(options: Partial<ConstructorParameters<typeof WebSockets>[0]> = {}): Promise<void> {
  const logger: Logger = { ...silentLogger, warn: (fields) => void lines.push(fields) };
  room = new Room(3);
  webSockets = new WebSockets({
    path: "/ws",
    limits: { frameBytes: 65_536 },
    origins: undefined,
    trusted: trustedProxies([]),
    room,
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
        beforeEnd() {},
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

/** A client that says exactly what it is told to. */
function raw(headers: Handshake["headers"] = {}, target = "/ws"): RawSocket {
  const client = new RawSocket(port());
  sockets.push(client.socket);
  client.write(handshake({ headers, target }));
  return client;
}

describe("handshake", () => {
  it("takes the first subprotocol it knows in the client's order", async () => {
    const client = raw({ "Sec-WebSocket-Protocol": "graphql-ws, tandem.v1.msgpack, tandem.v1.json" });
    const answer = await client.answer();
    expect(answer).toMatch(/^HTTP\/1\.1 101 /);
    expect(answer).toContain("Sec-WebSocket-Protocol: tandem.v1.msgpack");
    expect(seen[0]?.transport.codec.name).toBe("msgpack");
    expect(seen[0]?.transport.address).toBe("127.0.0.1");
  });

  it("turns away with 503 and a hint whoever is one too many, and lets the next in once there is room", async () => {
    const first = raw();
    await Promise.all([first, raw(), raw()].map((client) => client.status()));
    const answer = await raw().end();
    expect(answer).toMatch(/^HTTP\/1\.1 503 /);
    expect(answer).toContain("Retry-After: 5\r\n");
    expect(answer).toContain("server-full");
    first.socket.destroy();
    await expect.poll(() => room.taken).toBe(2);
    expect(await raw().status()).toBe(101);
  });

  it("turns everyone away while it drains", async () => {
    room.drain();
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
});

describe("frames", () => {
  it("hands texts over as texts and bytes as bytes, and answers in the codec's form", async () => {
    const client = raw();
    await client.status();
    client.write(Buffer.concat([frame(TEXT, "häl"), frame(BINARY, Buffer.of(1, 2))]));
    await client.frame(1);
    const answered = { fin: true, reserved: 0, opcode: TEXT, masked: false };
    expect(client.frames).toEqual([
      { ...answered, payload: Buffer.from("echo häl") },
      { ...answered, payload: Buffer.of(1, 2) },
    ]);
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
    expect(room.taken).toBe(0);
  });

  it("closes with `internal` when a frame cannot be handled, and tells nothing of why", async () => {
    const client = raw();
    await client.status();
    client.write(frame(TEXT, "explode"));
    expect(await client.closed()).toEqual({ code: 4003, reason: "internal" });
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
