import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { RawSocket } from "./raw-socket.fixture.ts";
import type { Stage } from "./stage.fixture.ts";
import { stage, token } from "./stage.fixture.ts";

interface Post {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: Uint8Array | string;
}

/** A request of the other road, as it is told to be. */
function post(world: Stage, { method = "POST", path = "/ws/send", headers = {}, body = "" }: Post): RawSocket {
  const bytes = Buffer.from(body as Uint8Array);
  const all = {
    Host: "tandem.test",
    "Content-Type": "application/json",
    "Content-Length": `${bytes.length}`,
    Connection: "close",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const socket = world.connect();
  socket.write(`${[`${method} ${path} HTTP/1.1`, ...lines].join("\r\n")}\r\n\r\n`);
  socket.write(bytes);
  return socket;
}

const hello = async (user = "mallory") => JSON.stringify([{ type: "hello", id: 1, token: await token(user) }]);

describe("requests that are wrong", () => {
  it.each([
    ["a body over the limit", 413, { headers: { "Content-Length": "2000000" } }],
    [
      "a body of no end",
      413,
      {
        headers: { "Content-Length": undefined, "Transfer-Encoding": "chunked" },
        body: `200000\r\n${"x".repeat(0x20_0000)}\r\n`,
      },
    ],
    ["a length that is no number", 400, { headers: { "Content-Length": "many" } }],
    ["a negative length", 400, { headers: { "Content-Length": "-1" } }],
    [
      "both a length and chunks",
      400,
      { headers: { "Content-Length": "2", "Transfer-Encoding": "chunked" }, body: "[]" },
    ],
    ["a form", 415, { headers: { "Content-Type": "application/x-www-form-urlencoded" } }],
    ["plain text, as a page of another site may send unasked", 415, { headers: { "Content-Type": "text/plain" } }],
    ["no content type", 415, { headers: { "Content-Type": undefined } }],
    ["a type that only begins like JSON", 415, { headers: { "Content-Type": "application/jsonp" } }],
    ["a bomb in gzip", 415, { headers: { "Content-Encoding": "gzip" }, body: gzipSync(Buffer.alloc(30_000_000)) }],
    [
      "a bomb in two layers",
      415,
      { headers: { "Content-Encoding": "gzip, gzip" }, body: gzipSync(gzipSync(Buffer.alloc(30_000_000))) },
    ],
    ["text that is no UTF-8", 400, { body: Buffer.of(0x5b, 0xc3, 0x28, 0x5d) }],
    ["more frames than a body may have", 413, { body: "[]\n".repeat(17) }],
    ["a foreign origin", 403, { headers: { Origin: "https://evil.test" } }],
    ["the origin null", 403, { headers: { Origin: "null" } }],
    [
      "a question of a foreign origin before a request",
      403,
      { method: "OPTIONS", headers: { Origin: "https://evil.test" } },
    ],
    ["GET", 405, { method: "GET" }],
    ["another method", 405, { method: "DELETE" }],
    ["a token in the address", 400, { path: "/ws/stream?access_token=a1b2" }],
    ["another path below", 404, { path: "/ws/send/../stream/x" }],
    ["101 headers", 431, { headers: Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`a${at}`, "b"])) }],
  ])("T7: %s: %i", async (_, status, request: Post) => {
    const world = await stage();
    for (const path of request.path === undefined ? ["/ws/send", "/ws/stream"] : [request.path]) {
      const client = post(world, { ...request, path });
      expect(await client.status()).toBe(status);
      expect(await client.end()).not.toMatch(/evil\.test|a1b2/);
    }
    expect(JSON.stringify(world.lines)).not.toContain("a1b2");
  });

  it("T7: a page of a foreign origin is never told that it may read", async () => {
    const world = await stage();
    for (const method of ["OPTIONS", "POST"]) {
      const answer = await post(world, { method, headers: { Origin: "https://evil.test" }, body: await hello() }).end();
      expect(answer.toLowerCase()).not.toContain("access-control-allow");
    }
  });

  it.each([
    ["null", "null", "bad-frame"],
    ["an object", "{}", "bad-frame"],
    ["cut off", '[{"type":"hello"', "bad-frame"],
    ["a list that never closes", "[".repeat(60_000), "bad-frame"],
    ["anything but hello first", '[{"type":"ping"}]', "not-authenticated"],
    ["a token that is none", '[{"type":"hello","id":1,"token":"x"}]', "token-invalid"],
    [
      "more messages than a frame may hold",
      `[${Array.from({ length: 600 }, () => '{"type":"ping"}').join()}]`,
      "too-many-messages",
    ],
  ])("a body that is %s gets its code and its end", async (_, body, code) => {
    const world = await stage();
    for (const path of ["/ws/send", "/ws/stream"]) {
      const client = post(world, { path, body });
      const answer = await client.answer();
      expect(answer).toMatch(/^HTTP\/1\.1 (200|400)/);
      expect(await client.end()).toContain(`"${code}"`);
    }
  });

  it("a frame over the limit within a body that is not is refused", async () => {
    const world = await stage();
    const body = `${await hello()}\n[${JSON.stringify({ type: "history", id: 2, channel: "room:1", limit: 1, pad: "x".repeat(200_000) })}]`;
    expect(await post(world, { body }).end()).toMatch(/bad-message|bad-frame|too/);
  });
});

describe("requests that do not end", { timeout: 60_000 }, () => {
  it("T7, G11: a body that drips, one that stops, and a head that drips are closed within ten seconds or so", async () => {
    const world = await stage();
    const dripping = post(world, { headers: { "Content-Length": "1000" }, body: "[" });
    const stopped = post(world, { headers: { "Content-Length": "1000" }, body: "[" });
    const head = world.connect();
    head.write("POST /ws/send HTTP/1.1\r\nHost: tandem.test\r\n");
    const drip = setInterval(() => {
      dripping.write(" ");
      head.write("X: y\r\n");
    }, 300);
    const answers = await Promise.all([dripping.end(), stopped.end(), head.end()]);
    clearInterval(drip);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });

  it("G11: 1,000 idle streams, half of them half closed, cost nobody else anything, and go without a trace", async () => {
    const world = await stage();
    const body = await hello();
    const streams = Array.from({ length: 1_000 }, () =>
      post(world, { path: "/ws/stream", headers: { Accept: "text/event-stream" }, body }),
    );
    const states = new Set(await Promise.all(streams.map((stream) => stream.status())));
    for (const status of states) expect([200, 429, 503]).toContain(status);
    streams.forEach(({ socket }, at) => {
      if (at % 2) socket.end();
    });
    await world.control.served(20);
    for (const { socket } of streams) socket.resetAndDestroy();
    await expect.poll(() => world.server.node.connections, { timeout: 20_000 }).toBe(1);
  });

  it("G11: who is given up in the middle of a body, of an answer or of a stream leaves nothing behind", async () => {
    const world = await stage();
    const body = await hello();
    await Promise.all(
      Array.from({ length: 200 }, async (_, at) => {
        const path = at % 2 ? "/ws/stream" : "/ws/send";
        const length = `${body.length + (at % 3 ? 0 : 100)}`;
        const client = post(world, { path, body, headers: { Accept: "text/event-stream", "Content-Length": length } });
        if (at % 3 === 2) await client.answer();
        client.socket.resetAndDestroy();
      }),
    );
    await expect.poll(() => world.server.node.connections, { timeout: 20_000 }).toBe(1);
  });
});
