import { channel, defineApp } from "@tandem/app";
import type { Client, ClientOptions, TransportName } from "@tandem/client";
import { createClient } from "@tandem/client";
import { systemRuntime } from "@tandem/runtime";
import { createInProcessBus, createMemoryLog, createServer } from "@tandem/server";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import type { ProxyBehaviour } from "./proxy.ts";
import { Proxy } from "./proxy.ts";

const app = defineApp({
  guests: { grants: { "room:*": ["read", "publish"] } },
  channels: { room: channel({ events: { message: v.object({ text: v.string() }) } }) },
});

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** Servers on one log and one bus, behind a proxy that passes requests to them in turns. */
async function stage(behaviour: Partial<ProxyBehaviour> = {}, servers = 1) {
  const [log, bus] = [createMemoryLog(), createInProcessBus()];
  const ports: number[] = [];
  for (let at = 0; at < servers; at++) {
    const server = await createServer(app, { log, bus, port: 0, runtime: systemRuntime() });
    toClose.push(() => server.close());
    ports.push((await server.listen()).port);
  }
  const proxy = await Proxy.start(ports, behaviour);
  toClose.push(() => proxy.close());
  return proxy;
}

function join(proxy: Proxy, options: Partial<ClientOptions> = {}): Client<typeof app> {
  const client = createClient<typeof app>({ url: proxy.url, ...options });
  toClose.push(() => client.close());
  return client;
}

function soon<T>(read: () => T) {
  return expect.poll(read, { timeout: 20_000, interval: 20 });
}

const roadOf = (client: Client<typeof app>) => {
  const status = client.status.get();
  return status.kind === "connected" ? status.transport : status.kind;
};

/** Everything that a client reads of a room. */
function read(client: Client<typeof app>, room = "1"): string[] {
  const texts: string[] = [];
  client.channel("room", room).subscribe({
    from: { last: 100 },
    onEvents: (events) => texts.push(...events.map((event) => String(event.data?.text))),
  });
  return texts;
}

describe.each<TransportName>(["sse", "poll"])("over %s alone", (transport) => {
  it("T1: carries what is published both ways, and history", async () => {
    const proxy = await stage();
    const [ada, grace] = [join(proxy, { transports: [transport] }), join(proxy, { transports: [transport] })];
    const seen = read(grace);
    await ada.channel("room", "1").publish("message", { text: "one" }).durable;
    await soon(() => seen).toEqual(["one"]);
    const own = read(ada);
    await grace.channel("room", "1").publish("message", { text: "two" }).durable;
    await soon(() => own).toEqual(["one", "two"]);
    await soon(() => seen).toEqual(["one", "two"]);
    const { events } = await ada.channel("room", "1").history({ limit: 10 });
    expect(events.map(({ offset }) => offset)).toEqual([1, 2]);
    expect([roadOf(ada), roadOf(grace)]).toEqual([transport, transport]);
    expect(proxy.count("upgrade")).toBe(0);
  });
});
