import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer as createHttpServer, get, Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { channel, defineApp } from "@tandem/app";
import { systemRuntime } from "@tandem/runtime";
import { Hono } from "hono";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createMemoryLog } from "./log/memory.ts";
import type { Server, ServerOptions } from "./server.ts";
import { createServer } from "./server.ts";

const app = defineApp({
  guests: { grants: { "room:*": ["read", "publish"] } },
  channels: { room: channel({ events: { message: v.object({ text: v.string() }) } }) },
});

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function start(options: ServerOptions = {}): Promise<Server> {
  const server = await createServer(app, { log: createMemoryLog(), port: 0, runtime: systemRuntime(), ...options });
  toClose.push(() => server.close());
  return server;
}

/** A client that speaks the protocol by hand. */
async function connectTo(url: string) {
  const socket = new WebSocket(url.replace(/^http/, "ws"), "tandem.v1.json");
  toClose.push(() => socket.terminate());
  const messages: { type: string; [field: string]: unknown }[] = [];
  let closed: number | undefined;
  socket.on("message", (data) => messages.push(...JSON.parse(String(data))));
  socket.on("close", (code) => {
    closed = code;
  });
  const opened = new Promise<void>((resolve, reject) => {
    socket.once("open", resolve);
    socket.once("error", reject);
  });
  await opened;
  return {
    say: (...said: object[]) => socket.send(JSON.stringify(said)),
    async next(type: string) {
      await expect.poll(() => messages.find((message) => message.type === type), { timeout: 5_000 }).toBeDefined();
      return messages.find((message) => message.type === type);
    },
    async closed() {
      await expect.poll(() => closed, { timeout: 10_000 }).toBeDefined();
      return closed;
    },
    async hello() {
      this.say({ type: "hello", id: 1, guest: { secret: "x".repeat(22) } });
      await this.next("welcome");
    },
  };
}

const PUBLISH = {
  type: "publish",
  id: 2,
  channel: "room:1",
  event: "message",
  data: { text: "hello" },
  producer: `${Date.now().toString(36).padStart(8, "0")}-${"p".repeat(22)}`,
  seq: 1,
};

async function plainServer(): Promise<{ http: HttpServer; url: string }> {
  const http = createHttpServer((_, response) => response.end("the application's own"));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  toClose.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return { http, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}` };
}

describe("a server of its own", () => {
  it("carries a publish from one client to another and to the application", async () => {
    const server = await start();
    const { url } = await server.listen();
    const heard: unknown[] = [];
    await server
      .application()
      .subscribe("room:1", { onEvents: (events) => void heard.push(...events.map((event) => event.data)) });
    const reader = await connectTo(`${url}/ws`);
    const writer = await connectTo(`${url}/ws`);
    await Promise.all([reader.hello(), writer.hello()]);
    reader.say({ type: "subscribe", id: 3, channel: "room:1" });
    await reader.next("subscribed");
    writer.say(PUBLISH);
    expect(await writer.next("published")).toMatchObject({ id: 2, position: { offset: 1 } });
    expect(await reader.next("events")).toMatchObject({ channel: "room:1", to: 1 });
    await expect.poll(() => heard).toEqual([{ text: "hello" }]);
    expect(server.connections).toBe(2);
  });

  it("G1: finds in its data folder what it stored before", async () => {
    const data = mkdtempSync(join(tmpdir(), "tandem-server-"));
    toClose.push(() => rmSync(data, { recursive: true, force: true }));
    const options = { data, port: 0, runtime: systemRuntime() };
    const first = await createServer(app, options);
    toClose.push(() => first.close());
    await first.application().publish("room:1", "message", { text: "kept" });
    await expect(createServer(app, options)).rejects.toThrow("in use by another server");
    await first.close();
    const second = await createServer(app, options);
    toClose.push(() => second.close());
    const { events } = await second.application().history("room:1");
    expect(events.map((event) => event.data)).toEqual([{ text: "kept" }]);
  });

  it("tells that it lives, and that it is ready", async () => {
    const { url } = await (await start()).listen();
    for (const path of ["/healthz", "/readyz"]) {
      const response = await fetch(url + path);
      expect(response.status).toBe(200);
      expect(response.headers.get("cache-control")).toBe("no-store");
    }
  });

  it("is not ready while its log cannot be written, and says why; it lives all the same", async () => {
    const log = createMemoryLog();
    const broken = { ...log, health: () => ({ writable: false as const, reason: "the disk is full" }) };
    Object.setPrototypeOf(broken, log);
    const { url } = await (await start({ log: broken })).listen();
    const response = await fetch(`${url}/readyz`);
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "not-ready", reason: expect.stringContaining("the disk is full") });
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it("answers what is not there with 404, over HTTP and over WebSocket, and no more than that", async () => {
    const { url } = await (await start()).listen();
    const response = await fetch(`${url}/nothing`);
    expect(response.status).toBe(404);
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(await response.text()).not.toMatch(/\bat .*:\d+|node_modules/);
    await expect(connectTo(`${url}/nothing`)).rejects.toThrow("404");
  });

  it("answers a request that offers another protocol as if it had not", async () => {
    // HTTP clients that speak HTTP/2 offer `h2c` with every request, so do some health checks (RFC 9110, section 7.8).
    const { port } = await (await start()).listen();
    const headers = { Connection: "Upgrade, HTTP2-Settings", Upgrade: "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__" };
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: "127.0.0.1", port, path: "/readyz", headers }, resolve).on("error", reject);
    });
    response.resume();
    expect(response.statusCode).toBe(200);
  });

  it("answers more than 100 headers with 431", async () => {
    const { url } = await (await start()).listen();
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`x-${at}`, "1"]));
    expect((await fetch(`${url}/healthz`, { headers })).status).toBe(431);
  });

  it("refuses options that cannot be, before anything is opened", async () => {
    await expect(start({ trustProxy: ["everyone"] })).rejects.toThrow('"everyone" is not a network');
    await expect(start({ secret: "short" })).rejects.toThrow(RangeError);
    await expect(start({ limits: { inFlight: 1_000 } })).rejects.toThrow(
      "limits.inFlight is a whole number from 1 to 256",
    );
    await expect(start({ limits: { pingMs: Number.NaN } })).rejects.toThrow(RangeError);
    await expect(start({ limits: { eventBytes: 65_536 } })).rejects.toThrow(
      "limits.eventBytes (65536) must be less than limits.frameBytes (65536)",
    );
  });

  it("rejects where the port is taken", async () => {
    const { port } = await (await start()).listen();
    await expect((await start({ port })).listen()).rejects.toThrow("EADDRINUSE");
  });
});

describe("files", () => {
  async function page() {
    const folder = mkdtempSync(join(tmpdir(), "tandem-files-"));
    toClose.push(() => rmSync(folder, { recursive: true, force: true }));
    const files = join(folder, "dist");
    mkdirSync(join(files, "assets"), { recursive: true });
    writeFileSync(join(folder, "secret.txt"), "not for you");
    writeFileSync(join(files, "index.html"), "<h1>hello</h1>");
    writeFileSync(join(files, "assets", "index-Ab3_x-9Z.js"), "export {};");
    const { url, port } = await (await start({ files })).listen();
    return { url, port };
  }

  it("serves the page with its policies, never kept unasked", async () => {
    const { url } = await page();
    const response = await fetch(url);
    expect(await response.text()).toBe("<h1>hello</h1>");
    expect(response.headers.get("content-type")).toMatch("text/html");
    expect(response.headers.get("cache-control")).toBe("no-cache");
    expect(response.headers.get("content-security-policy")).toContain("default-src 'self'");
    expect(response.headers.get("content-security-policy")).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it("lets browsers keep files whose name changes with their content", async () => {
    const { url } = await page();
    const response = await fetch(`${url}/assets/index-Ab3_x-9Z.js`);
    expect(response.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(response.headers.get("content-type")).toMatch("javascript");
  });

  it.each([
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/..%2fsecret.txt",
    "/..%5csecret.txt",
    "//secret.txt",
    "/assets/..%252f..%252fsecret.txt",
    "/%00",
    "/%ff",
  ])("gives nothing from outside the folder (%s)", async (path) => {
    const { port } = await page();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      get({ host: "127.0.0.1", port, path }, resolve).on("error", reject);
    });
    const body: Buffer[] = [];
    for await (const part of response) body.push(part as Buffer);
    expect(Buffer.concat(body).toString()).not.toContain("not for you");
    expect(response.statusCode).toBeGreaterThanOrEqual(400);
    expect(response.statusCode).toBeLessThan(500);
  });

  it("still tells its health", async () => {
    const { url } = await page();
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: "ok" });
  });
});

describe("inside an application's own HTTP server", () => {
  it("takes its path's WebSockets, and leaves requests and other upgrades alone", async () => {
    const { http, url } = await plainServer();
    const others: string[] = [];
    http.on("upgrade", (request, socket) => {
      if (request.url !== "/chat") return;
      others.push(request.url);
      socket.end("HTTP/1.1 418 I'm a teapot\r\n\r\n");
    });
    const server = await start({ path: "/realtime" });
    server.attach(http);
    expect(await (await fetch(`${url}/ws`)).text()).toBe("the application's own");
    const client = await connectTo(`${url}/realtime`);
    await client.hello();
    await expect(connectTo(`${url}/chat`)).rejects.toThrow("418");
    expect(others).toEqual(["/chat"]);
  });

  it("answers other upgrades with 404 where nobody else would", async () => {
    const { http, url } = await plainServer();
    (await start()).attach(http);
    await expect(connectTo(`${url}/other`)).rejects.toThrow("404");
  });

  it("lets go of it: detached, or closed", async () => {
    const { http, url } = await plainServer();
    const server = await start();
    const detach = server.attach(http);
    detach();
    expect(http.listenerCount("upgrade")).toBe(0);
    server.attach(http);
    const client = await connectTo(`${url}/ws`);
    await server.close();
    expect(await client.closed()).toBe(1006);
    expect(http.listenerCount("upgrade")).toBe(0);
    expect(await (await fetch(url)).text()).toBe("the application's own");
  });

  it("T1: takes the other road under its path, whoever listens for requests, until it is detached", async () => {
    const { http, url } = await plainServer();
    const server = await start({ path: "/realtime" });
    const detach = server.attach(http);
    http.on("request", (_, response) => response.headersSent || response.end("never ours"));
    const send = () =>
      fetch(`${url}/realtime/send`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify([{ type: "hello", id: 1, guest: { secret: "x".repeat(22) } }, PUBLISH]),
      });
    expect(await (await send()).json()).toMatchObject([{ type: "welcome" }, { type: "published", id: 2 }]);
    expect(await (await fetch(`${url}/realtime`)).text()).toBe("the application's own");
    detach();
    expect(await (await send()).text()).toBe("the application's own");
    expect(Object.hasOwn(http, "emit") && http.emit !== HttpServer.prototype.emit).toBe(false);
  });

  it("T1: offers the other road for the application's own routes", async () => {
    const server = await start();
    const own = new Hono().route("/live", server.http);
    const http = createHttpServer(getRequestListener(own.fetch, { overrideGlobalObjects: false }));
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    toClose.push(() => http.close());
    const response = await fetch(`http://127.0.0.1:${(http.address() as AddressInfo).port}/live/ws/send`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify([{ type: "hello", id: 1, guest: { secret: "x".repeat(22) } }, PUBLISH]),
    });
    expect(await response.json()).toMatchObject([{ type: "welcome" }, { type: "published", id: 2 }]);
    expect((await own.request("/live/ws/send", { method: "POST" })).status).toBe(501);
  });

  it("offers its health for the application's own routes", async () => {
    const server = await start();
    expect((await server.http.request("/readyz")).status).toBe(200);
  });
});

describe("drain", () => {
  it("is not ready, turns new ones away, tells clients when to come back, closes them with 4500", async () => {
    const server = await start({ drainMs: 2_000 });
    const { http, url } = await plainServer();
    server.attach(http);
    const client = await connectTo(`${url}/ws`);
    await client.hello();
    const drained = server.drain();
    expect(server.readiness()).toEqual({ ready: false, reason: "draining" });
    await expect(connectTo(`${url}/ws`)).rejects.toThrow("503");
    expect(await client.next("closing")).toMatchObject({ code: "shutting-down", retryAfter: expect.any(Number) });
    expect(await client.closed()).toBe(4500);
    await drained;
    expect(server.connections).toBe(0);
  });

  it("G1: what was being stored is stored and answered before the end", async () => {
    const log = createMemoryLog();
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow: typeof log = Object.create(log, {
      append: {
        value: async (batch: Parameters<typeof log.append>[0]) => {
          await held;
          return log.append(batch);
        },
      },
    });
    const server = await start({ log: slow, drainMs: 20_000 });
    const { url } = await server.listen();
    const client = await connectTo(`${url}/ws`);
    await client.hello();
    client.say(PUBLISH);
    await expect.poll(() => server.connections).toBe(1);
    const drained = server.drain();
    await client.next("closing");
    release();
    expect(await client.next("published")).toMatchObject({ position: { offset: 1 } });
    expect(await client.closed()).toBe(4500);
    await drained;
  });
});
