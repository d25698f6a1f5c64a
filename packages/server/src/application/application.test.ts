import type { ChannelEvent, Position, TandemError } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";

const textOf = ({ data }: ChannelEvent) => (data as { text: string }).text;

async function textsOf(world: Cluster, name: string): Promise<string[]> {
  const { events } = await world.node().application("acme").history(name, { limit: 1_000 });
  return events.map(textOf);
}

/** How a promise ended, once everything has settled. */
function outcome(promise: Promise<unknown>) {
  const seen: { value?: unknown; code?: string } = {};
  promise.then(
    (value) => Object.assign(seen, { value }),
    (error: TandemError) => Object.assign(seen, { code: error.code }),
  );
  return seen;
}

describe("publish", () => {
  it("G1: resolves with the position once it is durable, and reaches clients", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { append: promise };
    const published = outcome(
      world.node().application("acme").publish("room:1", "message", { text: "a" }, { author: "bot" }),
    );
    await world.settle();
    expect(published).toEqual({});
    resolve();
    await world.settle();
    expect(published.value).toMatchObject({ offset: 1 });
    expect(client.events("room:1")).toMatchObject([{ data: { text: "a" }, author: "bot" }]);
  });

  it("rejects what is not declared, does not match, or is no channel", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    const ask = async (name: string, event: string, data: unknown) => {
      const seen = outcome(application.publish(name, event, data));
      await world.settle();
      return seen.code;
    };
    expect(await ask("attic:1", "message", { text: "" })).toBe("forbidden");
    expect(await ask("room:*", "message", { text: "" })).toBe("forbidden");
    expect(await ask("nonsense", "message", { text: "" })).toBe("forbidden");
    expect(await ask("room:1", "wave", {})).toBe("invalid-event");
    expect(await ask("room:1", "message", { text: 5 })).toBe("invalid-data");
    expect(await ask("room:1", "message", { text: "x".repeat(40_000) })).toBe("event-too-large");
    await application.archive("room:1");
    expect(await ask("room:1", "message", { text: "" })).toBe("channel-archived");
  });

  it("G2: while the log fails for a while, everything is kept in order and takes effect once", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const application = world.node().application("acme");
    const all: { value?: unknown }[] = [];
    const publish = (text: string) => all.push(outcome(application.publish("room:1", "message", { text })));
    publish("1");
    await world.settle();
    world.log().failing = { append: "before" };
    publish("2");
    publish("3");
    await world.advance(2_000);
    world.log().failing = { append: "after" };
    publish("4");
    await world.advance(2_000);
    publish("5");
    await world.advance(500);
    world.log().failing = {};
    await world.advance(10_000);
    expect(all.map(({ value }) => (value as Position | undefined)?.offset)).toEqual([1, 2, 3, 4, 5]);
    expect(await textsOf(world, "room:1")).toEqual(numbers(5));
    expect(client.texts("room:1")).toEqual(numbers(5));
  });

  it("G2: more than the log keeps outcomes of, whose first answer is lost, takes effect once", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("room:1", 1);
    world.log().failing = { append: "after" };
    const texts = numbers(600).slice(1);
    const all = texts.map((text) => outcome(application.publish("room:1", "message", { text })));
    await world.advance(50);
    world.log().failing = {};
    await world.advance(10_000);
    expect(all.filter(({ value }) => value === undefined)).toEqual([]);
    expect((await world.node().application("acme").head("room:1")).offset).toBe(600);
  });

  it("G2: what comes back after 30 s does not take effect later, and what waits behind it is not doubled", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("room:1", 1);
    world.log().failing = { append: "before" };
    const lost = outcome(application.publish("room:1", "message", { text: "lost" }));
    await world.advance(20_000);
    const kept = outcome(application.publish("room:1", "message", { text: "kept" }));
    await world.advance(13_000);
    expect(lost.code).toBe("storage-unavailable");
    expect(kept).toEqual({});
    world.log().failing = {};
    await world.advance(5_000);
    expect(kept.value).toMatchObject({ offset: 2 });
    expect(await textsOf(world, "room:1")).toEqual(["1", "kept"]);
  });

  it("G2: what did take effect, unheard, before it came back is not stored a second time with what waits behind it", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("room:1", 1);
    world.log().failing = { append: "after" };
    const first = outcome(application.publish("room:1", "message", { text: "2" }));
    const second = outcome(application.publish("room:1", "message", { text: "3" }));
    await world.advance(33_000);
    expect(first.code).toBe("storage-unavailable");
    const third = outcome(application.publish("room:1", "message", { text: "4" }));
    world.log().failing = {};
    await world.advance(5_000);
    expect(second.code).toBe("storage-unavailable");
    expect(third.value).toMatchObject({ offset: 4 });
    expect(await textsOf(world, "room:1")).toEqual(numbers(4));
  });

  it("goes on under a new producer after a day of silence: the old one's marks may be forgotten", async () => {
    const world = await cluster();
    await world.fill("room:1", 1);
    await world.advance(86_500_000);
    world.runtime.jump(60 * 86_400_000);
    world.store.forgetProducers(world.runtime.now());
    await world.fill("room:1", 1, 0, () => "2");
    expect(await textsOf(world, "room:1")).toEqual(["1", "2"]);
  });

  it("G2: comes back as unknown-outcome where the log forgot its producer, and the next one is taken", async () => {
    const world = await cluster();
    await world.fill("room:1", 1);
    world.runtime.jump(60 * 86_400_000);
    world.store.forgetProducers(world.runtime.now());
    const published = outcome(world.node().application("acme").publish("room:1", "message", { text: "early" }));
    await world.settle();
    expect(published.code).toBe("unknown-outcome");
    await world.fill("room:1", 1, 0, () => "2");
    expect(await textsOf(world, "room:1")).toEqual(["1", "2"]);
  });

  it("G11: more than may wait is refused", async () => {
    const world = await cluster();
    world.log().held = { append: new Promise(() => {}) };
    const application = world.node().application("acme");
    const all = Array.from({ length: 10_001 }, () => outcome(application.publish("room:1", "message", { text: "x" })));
    await world.settle();
    expect(all.filter(({ code }) => code === "overloaded")).toHaveLength(1);
  });
});

describe("subscribe", () => {
  it("G3: reads from a position, waits for its handler, and survives its failures", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("room:1", 400, 0, (n) => String(n).padEnd(200));
    const seen: string[] = [];
    let running = 0;
    let most = 0;
    const asked = application.subscribe(
      "room:1",
      {
        async onEvents(events) {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => world.runtime.timer(10, resolve));
          running--;
          seen.push(...events.map((event) => textOf(event).trim()));
          throw new Error("the handler's own trouble");
        },
      },
      { last: 400 },
    );
    await world.advance(100);
    const stop = await asked;
    await world.fill("room:1", 1, 0, () => "live");
    await world.advance(2_000);
    expect(seen).toEqual([...numbers(400), "live"]);
    expect(most).toBe(1);
    stop();
    await world.fill("room:1", 1, 0, () => "late");
    await world.advance(100);
    expect(seen.at(-1)).toBe("live");
  });

  it("G3: is told reset, at the start and under way", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await world.fill("room:1", 2);
    const seen: unknown[] = [];
    const handler = {
      onEvents: (events: readonly ChannelEvent[]) => void seen.push(...events.map(textOf)),
      onReset: (reason: string, position: Position) => void seen.push([reason, position.offset]),
    };
    await application.subscribe("room:1", handler, { epoch: "other", offset: 1, tag: "x" });
    await world.fill("room:1", 1, 0, () => "3");
    await application.remove("room:1");
    await world.fill("room:1", 1, 0, () => "again");
    expect(seen).toEqual([["epoch", 2], "3", ["epoch", 0], "again"]);
  });
});

describe("a subscription whose beginning takes long to find", () => {
  it("G3: keeps its channel from being let go meanwhile, and hears what comes", async () => {
    const world = await cluster();
    await world.fill("room:1", 2_000);
    const seen: string[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { read: promise };
    const handler = { onEvents: (events: readonly ChannelEvent[]) => void seen.push(...events.map(textOf)) };
    const asked = world.node().application("acme").subscribe("room:1", handler, { last: 1_500 });
    await world.advance(30_000);
    resolve();
    await asked;
    await world.settle();
    await world.fill("room:1", 1, 0, () => "live");
    await world.advance(1_000);
    expect(seen).toEqual([...numbers(2_000, 501), "live"]);
  });
});

describe("tenants", () => {
  it("G10: each application reads and writes its own", async () => {
    const world = await cluster();
    await world.fill("room:1", 1);
    expect((await world.node().application("other").history("room:1")).events).toEqual([]);
    expect(await world.node().application("other").redact("room:1", 1)).toBe(false);
  });
});
