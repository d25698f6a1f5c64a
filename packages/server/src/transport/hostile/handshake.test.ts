import { describe, expect, it } from "vitest";
import { stage } from "./stage.fixture.ts";

const many = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: b`);

describe("a handshake that is too much", () => {
  it.each([
    ["101 headers", { lines: many(101) }],
    ["2,000 headers", { lines: many(2_000) }],
    ["headers over 16 KB", { headers: { Cookie: "x".repeat(20_000) } }],
    ["an address over 16 KB", { target: `/ws?${"x".repeat(20_000)}` }],
  ])("G11: %s are answered 431", async (_, request) => {
    const world = await stage();
    const client = world.knock(request);
    expect(await client.status()).toBe(431);
    await client.end();
  });

  it("G12: what is no HTTP at all is answered 400", async () => {
    const world = await stage();
    for (const bytes of [
      "\u0016\u0003\u0001\u0000\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\u0000".repeat(100),
    ]) {
      const client = world.connect();
      client.write(bytes);
      expect(await client.status()).toBe(400);
      await client.end();
    }
  });

  it("G12: a header with a line's end or NUL in it is answered 400", async () => {
    const world = await stage();
    for (const line of ["X: a\u0000b", "X: a\nY: b\u0001", "X y: z", "\u00e9: x", " folded"]) {
      const client = world.knock({ lines: [line] });
      expect([line, await client.status()]).toEqual([line, 400]);
    }
  });
});

describe("a handshake that does not end", { timeout: 60_000 }, () => {
  it("G11: bytes dripped over 10 s, a socket that says nothing, and an upgrade without hello are closed", async () => {
    const world = await stage();
    const silent = world.connect();
    const upgraded = await world.open();
    const dripping = world.connect();
    dripping.write("GET /ws HTTP/1.1\r\nHost: tandem.test\r\n");
    const drip = setInterval(() => dripping.write("X: y\r\n"), 500);
    // Control frames are no `hello`: who only pings is closed just the same.
    const pinging = await world.open();
    const ping = setInterval(() => pinging.write(Buffer.of(0x89, 0x80, 0, 0, 0, 0)), 1_000);
    const answers = await Promise.all([silent.end(), upgraded.closed(), dripping.end(), pinging.closed()]);
    clearInterval(drip);
    clearInterval(ping);
    expect(answers).toEqual([
      expect.stringMatching(/^(HTTP\/1\.1 408 |$)/),
      { code: 4005, reason: "handshake-timeout" },
      expect.stringMatching(/^HTTP\/1\.1 408 /),
      { code: 4005, reason: "handshake-timeout" },
    ]);
  });
});

describe("where a client comes from", () => {
  it("X-Forwarded-For of nobody who is trusted reaches no log line", async () => {
    const world = await stage();
    const client = world.knock({
      headers: { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9", "X-Real-IP": "203.0.113.9" },
      target: "/ws?token=x",
    });
    expect(await client.status()).toBe(400);
    expect(world.lines).toMatchObject([{ noise: "token-in-url", address: "127.0.0.1" }]);
    expect(JSON.stringify(world.lines)).not.toContain("203.0.113.9");
  });

  it("a line's end in an address or a header makes no line of its own in the log", async () => {
    const world = await stage({ trustProxy: ["127.0.0.1"] });
    const client = world.knock({
      headers: { "X-Forwarded-For": "9.9.9.9 fake=line", Origin: "https://a.test\u0085x" },
    });
    expect(await client.status()).toBe(403);
    expect(world.lines).toMatchObject([{ noise: "foreign-origin", address: "127.0.0.1" }]);
  });
});
