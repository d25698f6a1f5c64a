import { channel, defineApp } from "@tandem/app";
import type { Client, ClientOptions, TransportName } from "@tandem/client";
import { createClient, presence, signals } from "@tandem/client";
import { systemRuntime } from "@tandem/runtime";
import { createInProcessBus, createMemoryLog, createServer } from "@tandem/server";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import type { Behaviour } from "./middlebox.ts";
import { Middlebox } from "./middlebox.ts";

const app = defineApp({
  guests: { grants: { "room:*": ["read", "publish", "presence", "signal"] } },
  channels: {
    room: channel({
      events: { message: v.object({ text: v.string() }) },
      presence: { state: v.object({ page: v.number() }) },
      signals: { cursor: v.number() },
    }),
  },
});

const toClose: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

/** Servers on one log and one bus, behind a proxy that passes requests to them in turns. */
async function stage(behaviour: Partial<Behaviour> = {}, servers = 1) {
  const [log, bus] = [createMemoryLog(), createInProcessBus()];
  const ports: number[] = [];
  for (let at = 0; at < servers; at++) {
    const server = await createServer(app, { log, bus, port: 0, runtime: systemRuntime() });
    toClose.push(() => server.close());
    ports.push((await server.listen()).port);
  }
  const proxy = await Middlebox.start(ports, behaviour);
  toClose.push(() => proxy.close());
  return proxy;
}

function join(proxy: Middlebox, options: Partial<ClientOptions> = {}): Client<typeof app> {
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

describe("the client chooses by itself", () => {
  it("T6: a WebSocket, where there is one", async () => {
    const proxy = await stage();
    const ada = join(proxy);
    await soon(() => roadOf(ada)).toBe("websocket");
    expect([...proxy.counts.keys()]).toEqual(["upgrade"]);
  });

  it.each<[string, Partial<Behaviour>, TransportName]>([
    ["refuses upgrades", { upgrades: "refuse" }, "sse"],
    ["swallows upgrades", { upgrades: "swallow" }, "sse"],
    ["refuses upgrades and buffers", { upgrades: "refuse", buffers: true }, "poll"],
    ["swallows upgrades and buffers", { upgrades: "swallow", buffers: true }, "poll"],
    ["refuses upgrades and cuts responses", { upgrades: "refuse", cutsAfterMs: 300 }, "sse"],
  ])("T6 G3: through a proxy that %s", async (_, behaviour, transport) => {
    const proxy = await stage(behaviour);
    const [ada, grace] = [join(proxy), join(proxy)];
    const seen = read(grace);
    await soon(() => [roadOf(ada), roadOf(grace)]).toEqual([transport, transport]);
    const texts = Array.from({ length: 30 }, (_, at) => `${at}`);
    for (const text of texts) {
      await ada.channel("room", "1").publish("message", { text }).durable;
      await new Promise((later) => setTimeout(later, 20));
    }
    await soon(() => seen).toEqual(texts);
  });

  it("T6: comes back to a WebSocket without a loss and without a word, once the network changes", async () => {
    const proxy = await stage({ upgrades: "refuse" });
    let changed = () => {};
    const wake = {
      online: () => true,
      listen(listener: () => void) {
        const before = changed;
        changed = () => {
          before();
          listener();
        };
        return () => {};
      },
    };
    const ada = join(proxy, { wake });
    const seen = read(ada);
    await soon(() => roadOf(ada)).toBe("sse");
    const kinds = new Set<string>();
    ada.status.subscribe(() => kinds.add(ada.status.get().kind));
    proxy.behaviour.upgrades = "pass";
    const texts: string[] = [];
    changed();
    while (roadOf(ada) !== "websocket") {
      texts.push(`${texts.length}`);
      void ada.channel("room", "1").publish("message", { text: texts.at(-1) ?? "" });
      await new Promise((later) => setTimeout(later, 50));
    }
    await soon(() => seen).toEqual(texts);
    expect([...kinds]).toEqual(["connected"]);
  });
});

describe("two servers behind a proxy that knows no stickiness", () => {
  const roads: TransportName[] = ["websocket", "sse", "poll"];

  it.each(roads.flatMap((up) => roads.map((down) => [up, down] as const)))(
    "G1 G2 G3: from %s to %s, with connections cut throughout",
    async (up, down) => {
      const proxy = await stage({}, 2);
      const [ada, grace] = [join(proxy, { transports: [up] }), join(proxy, { transports: [down] })];
      const [seen, own] = [read(grace), read(ada)];
      const room = ada.channel("room", "1");
      const texts = Array.from({ length: 200 }, (_, at) => `${at}`);
      const durable: Promise<unknown>[] = [];
      for (const [at, text] of texts.entries()) {
        durable.push(room.publish("message", { text }).durable);
        if (at % 40 === 20) proxy.kill();
        await new Promise((later) => setTimeout(later, 5));
      }
      await Promise.all(durable);
      await soon(() => seen.length).toBe(200);
      await soon(() => own.length).toBe(200);
      expect(seen).toEqual(texts);
      expect(own).toEqual(texts);
    },
  );
});

describe.each<TransportName>(["sse", "poll"])("presence and signals over %s", (transport) => {
  it("T4: stand through many responses at two servers, and end with a goodbye", async () => {
    const proxy = await stage({ cutsAfterMs: 700 }, 2);
    const [ada, grace] = [join(proxy, { transports: [transport] }), join(proxy, { transports: ["websocket"] })];
    const here = presence(ada.channel("room", "1"), { state: { page: 1 } });
    const seen = presence(grace.channel("room", "1"), { state: { page: 7 } });
    const pages = () => seen.members.get().map(({ state }) => state?.page);
    await soon(() => pages().toSorted()).toEqual([1, 7]);
    await soon(() => here.members.get().length).toBe(2);
    const history: string[] = [];
    seen.members.subscribe(() =>
      history.push(
        seen.members
          .get()
          .map(({ status }) => status)
          .join(" "),
      ),
    );
    const cursors = signals(grace.channel("room", "1"), "cursor");
    const own = signals(ada.channel("room", "1"), "cursor");
    const others = signals(ada.channel("room", "1"), "cursor");
    for (let at = 1; at <= 20; at++) {
      await ada.channel("room", "1").publish("message", { text: `${at}` }).durable;
      own.send(at);
      cursors.send(-at);
      await new Promise((later) => setTimeout(later, 100));
    }
    await soon(() => [...cursors.latest.get().values()].map(({ data }) => data)).toEqual([20]);
    await soon(() => [...others.latest.get().values()].map(({ data }) => data)).toEqual([-20]);
    here.update({ page: 2 });
    await soon(() => pages().toSorted()).toEqual([2, 7]);
    expect(new Set(history)).toEqual(new Set(["active active"]));
    await ada.close();
    await soon(() => pages()).toEqual([7]);
    expect(history.some((statuses) => statuses.includes("reconnecting"))).toBe(false);
  });
});
