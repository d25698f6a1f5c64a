import type { Server } from "node:http";
import { request as ask, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Encoded } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import { silentLogger } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { VirtualRuntime } from "../connection/runtime.fixture.ts";
import type { Transport } from "../connection/transport.ts";
import { Frame } from "../delivery/frame.ts";
import { trustedProxies } from "./client-address.ts";
import { HttpRoad } from "./http-road.ts";
import { Room } from "./room.ts";

/** A connection as the server saw it. */
interface Seen {
  readonly transport: Transport;
  readonly frames: Encoded[];
  ended: boolean;
  closed: number | undefined;
}

let http: Server;
let road: HttpRoad;
let room: Room;
let seen: Seen[];
let lines: Record<string, unknown>[];
let faults: string[];
let runtime: VirtualRuntime;

beforeEach(async () => {
  seen = [];
  lines = [];
  faults = [];
  runtime = new VirtualRuntime();
  const logger: Logger = {
    ...silentLogger,
    warn: (fields) => void lines.push(fields),
    error: (_, message) => void faults.push(message),
  };
  room = new Room(3);
  road = new HttpRoad({
    path: "/ws",
    limits: { frameBytes: 1_024 },
    origins: ["https://app.example"],
    trusted: trustedProxies([]),
    room,
    runtime: Object.assign(runtime, { logger }),
    accept(transport) {
      const one: Seen = { transport, frames: [], ended: false, closed: undefined };
      seen.push(one);
      return {
        frame: (frame) => void one.frames.push(frame),
        beforeEnd() {},
        end: () => {
          one.ended = true;
        },
        closed: (code) => {
          one.closed = code;
        },
      };
    },
  });
  http = createServer((request, response) => {
    if (!road.take(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
});

afterEach(async () => {
  road.destroy();
  http.closeAllConnections();
  await new Promise((resolve) => http.close(resolve));
});

const JSON_TYPE = { "content-type": "application/json" };
const HELLO = '[{"type":"hello"}]';

/** A request that is told as it goes: its status, its headers, and what has come of its body. */
function send(path: string, body: string | undefined, headers: Record<string, string> = JSON_TYPE, method = "POST") {
  const { port } = http.address() as AddressInfo;
  const told = { status: 0, headers: {} as Record<string, unknown>, body: "", over: false };
  const request = ask({ host: "127.0.0.1", port, path, method, headers });
  request.on("response", (response) => {
    told.status = response.statusCode ?? 0;
    told.headers = response.headers;
    response.on("data", (piece) => {
      told.body += piece;
    });
    response.on("close", () => {
      told.over = true;
    });
  });
  request.on("error", () => {
    told.over = true;
  });
  if (body === undefined) request.flushHeaders();
  else request.end(body);
  return { request, told };
}

async function status(...args: Parameters<typeof send>): Promise<number> {
  const { told } = send(...args);
  await expect.poll(() => told.status).not.toBe(0);
  return told.status;
}

/** The connection of a request that has arrived. */
async function arrived(at = 0): Promise<Seen> {
  await expect.poll(() => seen[at]?.frames.length).toBeGreaterThan(0);
  return seen[at] as Seen;
}

const frame = (text: string) => new Frame(Buffer.from(text));

describe("a request is judged by its head", () => {
  it.each([
    ["a foreign origin", 403, { ...JSON_TYPE, origin: "https://evil.example" }],
    ["the origin null", 403, { ...JSON_TYPE, origin: "null" }],
    ["a text, which browsers send without asking", 415, { "content-type": "text/plain" }],
    ["a form", 415, { "content-type": "application/x-www-form-urlencoded" }],
    ["no type", 415, {}],
    ["a type that begins alike", 415, { "content-type": "application/json5" }],
    ["a compressed body", 415, { ...JSON_TYPE, "content-encoding": "gzip" }],
    ["an announced length over the limit", 413, { ...JSON_TYPE, "content-length": "16385" }],
    [
      "too many headers",
      431,
      { ...JSON_TYPE, ...Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`x-${at}`, ""])) },
    ],
  ])("T7: %s is answered %i, and nobody arrives", async (_, expected, headers) => {
    expect(await status("/ws/send", undefined, headers)).toBe(expected);
    expect(seen).toEqual([]);
    expect(lines).toHaveLength(1);
  });

  it("T7: a token in the address, another method, another path", async () => {
    expect(await status("/ws/send?access_token=abc", HELLO)).toBe(400);
    expect(await status("/ws/stream", undefined, {}, "GET")).toBe(405);
    expect(await status("/ws/streams", HELLO)).toBe(404);
    expect(seen).toEqual([]);
  });

  it("T7: a browser that asks first is told yes for a listed origin only, and never that cookies may come along", async () => {
    const { told } = send("/ws/stream", undefined, { origin: "https://app.example" }, "OPTIONS");
    await expect.poll(() => told.status).toBe(204);
    expect(told.headers).toMatchObject({
      "access-control-allow-origin": "https://app.example",
      "access-control-allow-methods": "POST",
      vary: "Origin",
    });
    expect(told.headers).not.toHaveProperty("access-control-allow-credentials");
    expect(await status("/ws/stream", undefined, { origin: "https://evil.example" }, "OPTIONS")).toBe(403);
  });
});

describe("a body", () => {
  it.each([
    ["longer than may be, without saying so", 413, "x".repeat(17_000)],
    ["of too many frames", 413, "[]\n".repeat(17)],
  ])("T7: %s is answered %i", async (_, expected, body) => {
    expect(await status("/ws/send", body, { ...JSON_TYPE, "transfer-encoding": "chunked" })).toBe(expected);
    expect(seen).toEqual([]);
  });

  it("T7: that is no UTF-8 is answered 400", async () => {
    const { request, told } = send("/ws/send", undefined);
    request.end(Buffer.of(0x5b, 0xc3, 0x28, 0x5d));
    await expect.poll(() => told.status).toBe(400);
  });

  it("T7: that drips in is answered 408 after ten seconds", async () => {
    const { request, told } = send("/ws/send", undefined);
    request.write("[");
    await expect.poll(() => room.taken).toBe(1);
    await runtime.advance(9_999);
    request.write("{");
    expect(told.status).toBe(0);
    await runtime.advance(1);
    await expect.poll(() => told.status).toBe(408);
    await expect.poll(() => room.taken).toBe(0);
    expect(seen).toEqual([]);
  });

  it("T7: that is given up leaves nothing behind", async () => {
    const { request } = send("/ws/stream", undefined);
    await expect.poll(() => room.taken).toBe(1);
    request.destroy();
    await expect.poll(() => room.taken).toBe(0);
    expect(runtime.timers).toBe(0);
  });

  it("T1: its first frame goes first, the others when hello is answered, and then comes the end", async () => {
    send("/ws/send", `${HELLO}\n[2]\n\n[3]\n`);
    const { frames, transport } = await arrived();
    await runtime.advance(0);
    expect(frames).toEqual([HELLO]);
    transport.send(frame('["welcome"]'));
    transport.flush(false);
    expect(seen[0]?.ended).toBe(false);
    await runtime.advance(0);
    expect(frames).toEqual([HELLO, "[2]", "[3]"]);
    expect(seen[0]?.ended).toBe(true);
  });
});

describe("a response", () => {
  it("T2: of a stream is an event for each frame, at once, and a comment in silence", async () => {
    const { told } = send("/ws/stream", HELLO, { ...JSON_TYPE, accept: "text/event-stream" });
    const { transport } = await arrived();
    expect(transport).toMatchObject({ oneWay: true, side: false });
    await expect.poll(() => told.headers["content-type"]).toMatch("text/event-stream");
    expect(told.headers).toMatchObject({ "cache-control": "no-store, no-transform", "x-accel-buffering": "no" });
    transport.send(frame('["a"]'));
    transport.send(frame('["b"]'));
    transport.flush(false);
    await expect.poll(() => told.body).toBe('data: ["a"]\n\ndata: ["b"]\n\n');
    await runtime.advance(10_000);
    await expect.poll(() => told.body).toBe('data: ["a"]\n\ndata: ["b"]\n\n:\n\n');
    expect(seen[0]?.ended).toBe(false);
  });

  it("T4: of a stream is over within 25 seconds, and that is no goodbye", async () => {
    const { told } = send("/ws/stream", HELLO, { ...JSON_TYPE, accept: "text/event-stream" });
    await arrived();
    await runtime.advance(25_000);
    await expect.poll(() => told.over).toBe(true);
    expect(told.body).not.toContain("close");
    expect(seen[0]?.closed).toBe(1006);
    await expect.poll(() => room.taken).toBe(0);
    expect(runtime.timers).toBe(0);
  });

  it("T2: of a poll waits for news, and takes along what comes with it", async () => {
    const { told } = send("/ws/stream", HELLO);
    const { transport } = await arrived();
    transport.send(frame('["welcome","answer"]'));
    transport.flush(false);
    await runtime.advance(15_000);
    expect(told.status).toBe(0);
    transport.send(frame('["news"]'));
    transport.flush(true);
    await runtime.advance(24);
    transport.send(frame('["more"]'));
    transport.flush(true);
    await runtime.advance(1);
    await expect.poll(() => told.over).toBe(true);
    expect(JSON.parse(told.body)).toEqual(["welcome", "answer", "news", "more"]);
    expect(seen[0]?.closed).toBe(1006);
  });

  it("T2: of a poll ends at once when it is full, and without news in the end", async () => {
    const full = send("/ws/stream", HELLO);
    const { transport } = await arrived();
    transport.send(frame(`["${"x".repeat(70_000)}"]`));
    transport.flush(false);
    await expect.poll(() => full.told.over).toBe(true);
    const empty = send("/ws/stream", HELLO);
    await arrived(1);
    await runtime.advance(25_000);
    await expect.poll(() => empty.told.body).toBe("[]");
  });

  it("T3: of what is sent comes when the connection ends, and so it does for who wants no waiting", async () => {
    for (const [at, path, headers] of [
      [0, "/ws/send", JSON_TYPE],
      [1, "/ws/stream", { ...JSON_TYPE, prefer: "wait=0" }],
    ] as const) {
      const { told } = send(path, HELLO, headers);
      const one = await arrived(at);
      expect(one).toMatchObject({ ended: true, transport: { side: path === "/ws/send" } });
      one.transport.send(frame('["answer"]'));
      one.transport.flush(true);
      await runtime.advance(1_000);
      expect(told.status).toBe(0);
      one.transport.close(1000, "");
      await expect.poll(() => told.over).toBe(true);
      expect(told.body).toBe('["answer"]');
    }
  });

  it.each([
    ["text/event-stream", 'data: ["said"]\n\ndata: [{"type":"close","code":4500,"reason":"shutting-down"}]\n\n'],
    ["application/json", '["said",{"type":"close","code":4500,"reason":"shutting-down"}]'],
  ])("T5: as %s tells a close code in its last message", async (accept, body) => {
    const { told } = send("/ws/stream", HELLO, { ...JSON_TYPE, accept });
    const { transport } = await arrived();
    transport.send(frame('["said"]'));
    transport.flush(false);
    transport.close(4500, "shutting-down");
    transport.send(frame('["too late"]'));
    transport.flush(true);
    await expect.poll(() => told.over).toBe(true);
    expect(told.body).toBe(body);
  });

  it("G11: that nobody reads is cut half a minute after its end", async () => {
    const { request } = send("/ws/stream", HELLO, { ...JSON_TYPE, accept: "text/event-stream" });
    request.on("response", (response) => response.pause().removeAllListeners("data"));
    const { transport } = await arrived();
    for (let times = 0; times < 200; times++) transport.send(frame(`["${"x".repeat(100_000)}"]`));
    transport.flush(true);
    expect(transport.buffered()).toBeGreaterThan(1_000_000);
    transport.close(1000, "");
    await runtime.advance(60_000);
    await expect.poll(() => room.taken).toBe(0);
  });

  it("G11: that a client gives up ends its connection", async () => {
    const { request } = send("/ws/stream", HELLO, { ...JSON_TYPE, accept: "text/event-stream" });
    await arrived();
    request.destroy();
    await expect.poll(() => seen[0]?.closed).toBe(1006);
    await expect.poll(() => room.taken).toBe(0);
    expect(runtime.timers).toBe(0);
  });
});

describe("a server's own fault", () => {
  it("G12: with a frame after the first cuts that client, and ends nothing else", async () => {
    const { told } = send("/ws/send", `${HELLO}\n${HELLO}`);
    const { transport, frames } = await arrived();
    frames.push = () => {
      throw new Error("nobody thought of this");
    };
    transport.flush(false);
    await runtime.advance(0);
    await expect.poll(() => told.over).toBe(true);
    await expect.poll(() => room.taken).toBe(0);
    expect(faults).toEqual(["a request could not be handled, its connection was cut"]);
  });
});

describe("room", () => {
  it("G11: a client that has gone before its request is handed over takes none", async () => {
    // As where the road is mounted behind something of the application's own that takes its time.
    let late: (() => void) | undefined;
    const slow = createServer((taken, response) => {
      response.once("close", () => {
        late = () => road.handle(taken, response, true);
      });
      request.destroy();
    });
    await new Promise<void>((resolve) => slow.listen(0, "127.0.0.1", resolve));
    const { port } = slow.address() as AddressInfo;
    const request = ask({ host: "127.0.0.1", port, path: "/ws/send", method: "POST", headers: JSON_TYPE });
    request.on("error", () => undefined);
    request.flushHeaders();
    await expect.poll(() => late).toBeDefined();
    late?.();
    await runtime.advance(60_000);
    expect(room.taken).toBe(0);
    expect(runtime.timers).toBe(0);
    await new Promise((resolve) => slow.close(resolve));
  });

  it("G11: one too many, and everybody while the server drains, are answered 503 with a hint", async () => {
    for (let count = 0; count < 3; count++) send("/ws/stream", HELLO);
    await expect.poll(() => room.taken).toBe(3);
    const { told } = send("/ws/send", HELLO);
    await expect.poll(() => told.status).toBe(503);
    expect(told.headers["retry-after"]).toBe("5");
    expect(told.body).toMatch(/^server-full/);
    room.drain();
    const late = send("/ws/send", HELLO);
    await expect.poll(() => late.told.body).toMatch(/^shutting-down/);
  });
});
