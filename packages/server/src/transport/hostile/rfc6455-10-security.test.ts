import { describe, expect, it } from "vitest";
import { frame, TEXT } from "./raw-socket.fixture.ts";
import { stage } from "./stage.fixture.ts";

describe("RFC 6455 10.2, 4.2.2: origins", () => {
  it.each([
    ["a foreign one", "https://evil.test"],
    ["null", "null"],
    ["nothing", ""],
    ["one that begins like ours", "https://tandem.test.evil.test"],
    ["one that ends like ours", "https://eviltandem.test"],
    ["one with ours as its user", "https://tandem.test@evil.test"],
    ["one with a path", "https://tandem.test/"],
    ["another port of ours", "https://tandem.test:8443"],
    ["another scheme", "file://tandem.test"],
    ["a script", "javascript:alert(1)"],
    ["a look-alike letter", "https://tandem.tеst"],
    ["capitals", "https://TANDEM.test"],
    ["two", "http://tandem.test, https://evil.test"],
    ["a wildcard", "*"],
  ])("are compared whole: %s is refused with 403", async (_, origin) => {
    const world = await stage();
    const client = world.knock({ headers: { Origin: Buffer.from(origin).toString("latin1") } });
    expect(await client.status()).toBe(403);
    expect(await client.end()).not.toContain("evil");
  });

  it("two Origin headers are refused with 403, whichever comes first", async () => {
    const world = await stage();
    for (const [first, second] of [
      ["http://tandem.test", "https://evil.test"],
      ["https://evil.test", "http://tandem.test"],
    ]) {
      expect(await world.knock({ headers: { Origin: first }, lines: [`Origin: ${second}`] }).status()).toBe(403);
    }
  });

  it("10.1: who is no browser sends none, and is let in", async () => {
    const world = await stage();
    expect(await world.knock().status()).toBe(101);
    expect(await world.knock({ headers: { Origin: "http://tandem.test" } }).status()).toBe(101);
  });

  it("with a list, those in it are let in, and not even the own host", async () => {
    const world = await stage({ origins: ["https://app.test"] });
    expect(await world.knock({ headers: { Origin: "https://app.test" } }).status()).toBe(101);
    expect(await world.knock({ headers: { Origin: "https://tandem.test" } }).status()).toBe(403);
    expect(await world.knock({ headers: { Origin: "http://app.test" } }).status()).toBe(403);
  });
});

describe("RFC 6455 10.3: what goes between client and server is not taken for HTTP", () => {
  it("a request in place of frames is failed, and not answered as one", async () => {
    const world = await stage();
    const client = await world.open();
    client.write("GET /healthz HTTP/1.1\r\nHost: tandem.test\r\n\r\n");
    expect(await client.closed()).toMatchObject({ code: 1002 });
    expect(client.everything.match(/HTTP\/1\.1/g)).toHaveLength(1);
  });

  it("a request behind one that was refused is not answered", async () => {
    const world = await stage();
    const client = world.knock({ headers: { "Sec-WebSocket-Key": "short" } });
    client.write("GET /healthz HTTP/1.1\r\nHost: tandem.test\r\n\r\n");
    expect((await client.end()).match(/HTTP\/1\.1/g)).toHaveLength(1);
  });
});

describe("RFC 6455 10.5, 10.6: who a client is", () => {
  it.each(["token=a1b2", "x=1&access_token=a1b2", "JWT=a1b2", "ticket=a1b2", "%74oken=a1b2", "Authorization=a1b2"])(
    "is not told in the address: ?%s is refused with 400, and not logged",
    async (query) => {
      const world = await stage();
      const answer = await world.knock({ target: `/ws?${query}` }).end();
      expect(answer).toMatch(/^HTTP\/1\.1 400 /);
      expect(answer).toContain("a token goes into the first message");
      expect(JSON.stringify(world.lines)).not.toContain("a1b2");
      expect(await world.knock({ target: "/ws?room=42" }).status()).toBe(101);
    },
  );

  it("is not told by headers or cookies either: they admit nobody", async () => {
    const world = await stage();
    const client = world.knock({ headers: { Authorization: "Bearer a1b2", Cookie: "token=a1b2" } });
    expect(await client.status()).toBe(101);
    client.write(frame(TEXT, '[{"type":"ping"}]'));
    expect(await client.closed()).toEqual({ code: 4401, reason: "not-authenticated" });
  });
});
