import { msgpackCodec } from "@tandem/protocol/msgpack";
import { describe, expect, it } from "vitest";
import { cluster, numbers } from "./cluster.fixture.ts";

describe("hello", () => {
  it("is answered with who one is, the server's clock and its limits", async () => {
    const world = await cluster();
    world.token("ada", { name: "Ada", expires: world.runtime.now() + 60_000 });
    const client = world.stranger();
    expect(await client.hello("ada")).toEqual({
      type: "welcome",
      id: 1,
      connection: expect.any(String),
      user: "ada",
      tenant: "acme",
      name: "Ada",
      time: world.runtime.now(),
      expires: world.runtime.now() + 60_000,
      limits: world.node().limits,
      following: { version: 0, channels: ["user-urgent:ada", "user:ada", "tenant:all"] },
    });
    expect(world.node().connections).toBe(1);
    client.leave();
    await world.settle();
    expect(world.node().connections).toBe(0);
  });

  it("with a token that is not accepted ends the connection with the table's code", async () => {
    const world = await cluster();
    const client = world.stranger();
    expect(await client.hello("nobody")).toMatchObject({ type: "error", id: 1, code: "token-invalid" });
    expect(client.end).toEqual({ code: 4401, reason: "token-invalid" });
  });

  it("T1: what follows it in its frame waits for its answer", async () => {
    const world = await cluster();
    world.token("ada");
    const client = world.stranger();
    client.say(
      { type: "hello", id: 1, token: "ada" },
      { type: "subscribe", id: 2, channel: "room:1" },
      { type: "nonsense", id: 3 },
      { ...client.publishing("room:1", 1), id: 4 },
    );
    await world.settle();
    expect(client.told.map((message) => [message.type, "id" in message && message.id])).toEqual(
      expect.arrayContaining([
        ["welcome", 1],
        ["subscribed", 2],
        ["error", 3],
        ["published", 4],
      ]),
    );
    expect(client.told[0]?.type).toBe("welcome");
    expect(client.end).toBeUndefined();
  });

  it("says the same in MessagePack", async () => {
    const world = await cluster();
    const client = await world.client("ada", 0, msgpackCodec);
    const json = await world.client("bob");
    await client.subscribe("room:1");
    await json.subscribe("room:1");
    await client.publish("room:1", 1, { text: "þ€" });
    await client.publish("room:1", 2);
    expect(client.texts("room:1")).toEqual(["þ€", "2"]);
    expect(client.all("events")).toEqual(json.all("events"));
  });
});

describe("subscribe", () => {
  it("G3: from now: what comes next, with ranges that join up", async () => {
    const world = await cluster();
    await world.fill("room:1", 3);
    const client = await world.client("ada");
    expect(await client.subscribe("room:1")).toMatchObject({ type: "subscribed", head: 3, position: { offset: 3 } });
    await world.fill("room:1", 2);
    await world.fill("room:1", 1);
    expect(client.events("room:1").map(({ offset }) => offset)).toEqual([4, 5, 6]);
    expect(client.at("room:1")).toBe(6);
  });

  it("G3: of a channel that nothing was published to yet, the first events and their epoch", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    expect(await client.subscribe("room:1")).toMatchObject({ position: { epoch: "-", offset: 0, tag: "" } });
    await world.fill("room:1", 1);
    const head = await world.node().application("acme").head("room:1");
    expect(client.all("events")).toMatchObject([{ from: 0, to: 1, epoch: head.epoch, tag: head.tag }]);
  });

  it("G3: from a position: everything after it", async () => {
    const world = await cluster();
    const first = await world.client("ada");
    await first.subscribe("room:1");
    await world.fill("room:1", 1_000, 0, (n) => String(n).padEnd(100));
    const { position } = world.clients[0]?.all("subscribed")[0] ?? {};
    const client = await world.client("bob");
    expect(await client.subscribe("room:1", { from: position })).not.toHaveProperty("reset");
    await world.settle();
    expect(client.texts("room:1").map((text) => String(text).trim())).toEqual(numbers(1_000));
  });

  it("G3: with the last n events, fewer where there are fewer", async () => {
    const world = await cluster();
    await world.fill("room:1", 5);
    const client = await world.client("ada");
    expect(await client.subscribe("room:1", { from: { last: 2 } })).toMatchObject({ position: { offset: 3 }, head: 5 });
    expect(client.texts("room:1")).toEqual(["4", "5"]);
    const other = await world.client("bob");
    await other.subscribe("room:1", { from: { last: 100 } });
    expect(other.texts("room:1")).toEqual(numbers(5));
  });

  it("G4: atLeast makes a node catch up that has heard of nothing", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    const reader = await world.client("bob", 1);
    await reader.subscribe("room:1");
    const writer = await world.client("ada");
    const published = await writer.publish("room:1", 1);
    if (published?.type !== "published") throw new Error("not published");
    expect(reader.texts("room:1")).toEqual([]);
    const again = await world.client("ada", 1);
    const atLeast = published.position;
    expect(await again.subscribe("room:1", { from: { last: 1 }, atLeast })).toMatchObject({ head: 1 });
    expect(again.texts("room:1")).toEqual(["1"]);
    expect(reader.texts("room:1")).toEqual(["1"]);
    expect(await again.ask({ type: "history", channel: "room:1", limit: 10, atLeast })).toMatchObject({
      events: [{ offset: 1 }],
    });
  });

  it("G4: a read at least of what the channel never reached is told not-yet", async () => {
    const world = await cluster();
    await world.fill("room:1", 1);
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const head = await world.node().application("acme").head("room:1");
    const atLeast = { epoch: head.epoch, offset: 9, tag: "abc" };
    expect(await client.ask({ type: "history", channel: "room:1", limit: 1, atLeast })).toMatchObject({
      code: "not-yet",
      retryable: true,
    });
  });

  it("ends with unsubscribe: nothing comes after its answer", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    expect(await client.ask({ type: "unsubscribe", channel: "room:1" })).toMatchObject({ type: "unsubscribed" });
    await world.fill("room:1", 1);
    expect(client.all("events")).toEqual([]);
    expect(await client.subscribe("room:1", { from: { last: 1 } })).toMatchObject({ type: "subscribed" });
  });

  it("that is unsubscribed before it stands is told so, and nothing is delivered", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const [first, second] = [client.nextId(), client.nextId()];
    client.say(
      { type: "subscribe", id: first, channel: "room:1" },
      { type: "unsubscribe", id: second, channel: "room:1" },
    );
    await world.settle();
    expect(client.answer(second)).toMatchObject({ type: "unsubscribed" });
    expect(client.answer(first)).toMatchObject({ code: "not-subscribed" });
    await world.fill("room:1", 1);
    expect(client.all("events")).toEqual([]);
  });
});

describe("publish", () => {
  it("G1: is answered with its position, which is where its readers find it", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    await world.fill("room:1", 2);
    const published = await client.publish("room:1", 1, { text: "mine" });
    expect(published).toMatchObject({ type: "published", position: { offset: 3 } });
    const events = client.all("events");
    expect(events[events.length - 1]).toMatchObject({
      to: 3,
      tag: published?.type === "published" && published.position.tag,
    });
    expect(client.events("room:1")[2]).toMatchObject({
      offset: 3,
      type: "message",
      author: "ada",
      data: { text: "mine" },
    });
  });

  it("G1: is neither answered nor delivered before the log has it", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { append: promise };
    expect(await client.publish("room:1", 1)).toBeUndefined();
    expect(client.all("events")).toEqual([]);
    resolve();
    await world.settle();
    expect(client.all("published")).toHaveLength(1);
    expect(client.texts("room:1")).toEqual(["1"]);
  });

  it("goes into the next commit while one is under way, all in one", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const before = world.log().count("append");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { append: promise };
    client.say({ id: client.nextId(), ...client.publishing("room:1", 1) });
    await world.settle();
    for (let seq = 2; seq <= 50; seq++) client.say({ id: client.nextId(), ...client.publishing("room:1", seq) });
    await world.settle();
    resolve();
    await world.settle();
    expect(client.all("published")).toHaveLength(50);
    expect(client.texts("room:1")).toEqual(numbers(50));
    expect(world.log().count("append") - before).toBe(2);
  });
});

describe("history", () => {
  it("pages backwards to the oldest, each event once", async () => {
    const world = await cluster();
    await world.fill("room:1", 1_100);
    const client = await world.client("ada");
    const seen: string[] = [];
    let before: number | undefined;
    let pages = 0;
    do {
      const page = await client.ask({ type: "history", channel: "room:1", limit: 300, ...(before && { before }) });
      if (page?.type !== "page") throw new Error(JSON.stringify(page));
      seen.unshift(...page.events.map(({ data }) => (data as { text: string }).text));
      before = page.next;
      pages++;
    } while (before !== undefined);
    expect(seen).toEqual(numbers(1_100));
    expect(pages).toBe(10);
  });

  it("of nothing is an empty page", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const page = await client.ask({ type: "history", channel: "room:none", limit: 10 });
    expect(page).toMatchObject({ type: "page", epoch: "-", events: [] });
    expect(page).not.toHaveProperty("next");
  });

  it("G11: a page ends early rather than being long, and one too long is refused", async () => {
    const world = await cluster();
    await world.fill("room:1", 30, 0, (n) => String(n).padEnd(20_000));
    const client = await world.client("ada");
    const page = await client.ask({ type: "history", channel: "room:1", limit: 30 });
    if (page?.type !== "page") throw new Error(JSON.stringify(page));
    expect(page.events.length).toBeLessThan(10);
    expect(page.next).toBe(page.events[0]?.offset);
    expect(await client.ask({ type: "history", channel: "room:1", limit: 501 })).toMatchObject({ code: "bad-message" });
  });
});

describe("ping", () => {
  it("is answered with the server's clock", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    client.say({ type: "ping" });
    await world.settle();
    expect(client.all("pong")).toEqual([{ type: "pong", time: world.runtime.now() }]);
  });

  it("comes from the server in silence, and who does not answer is closed 4002", async () => {
    const world = await cluster();
    const [still, alive] = [await world.client("ada"), await world.client("bob")];
    still.acknowledges = false;
    await world.advance(27_000);
    expect(still.all("ping")).toHaveLength(1);
    alive.say({ type: "pong" });
    await world.advance(9_000);
    expect(still.end).toBeUndefined();
    alive.say({ type: "pong" });
    await world.advance(3_000);
    expect(still.end).toMatchObject({ code: 4002 });
    expect(alive.end).toBeUndefined();
  });
});

describe("drain", () => {
  it("tells when to come back, finishes what was asked for, then closes 4500", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const { promise, resolve } = Promise.withResolvers<void>();
    await client.subscribe("room:1");
    world.log().held = { append: promise };
    void client.publish("room:1", 1);
    await world.settle();
    const drained = world.node().drain(4_000, 10_000);
    await world.advance(500);
    expect(client.all("closing")).toEqual([{ type: "closing", code: "shutting-down", retryAfter: 2_000 }]);
    expect(world.node().readiness()).toEqual({ ready: false, reason: "draining" });
    expect(client.end).toBeUndefined();
    resolve();
    await world.advance(100);
    await drained;
    expect(client.all("published")).toHaveLength(1);
    expect(client.texts("room:1")).toEqual(["1"]);
    expect(client.end).toEqual({ code: 4500, reason: "shutting-down" });
    const late = world.stranger();
    await world.settle();
    expect(late.end).toMatchObject({ code: 4500 });
    expect(world.node().connections).toBe(0);
  });

  it("G11: waits no longer than its patience for what is not finished", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    world.log().held = { append: new Promise(() => {}) };
    void client.publish("room:1", 1);
    await world.settle();
    const drained = world.node().drain(0, 1_000);
    await world.advance(1_100);
    await drained;
    expect(client.end).toMatchObject({ code: 4500 });
  });
});

it("a node that is destroyed leaves no timer behind", async () => {
  const world = await cluster();
  const client = await world.client("ada");
  await client.subscribe("room:1");
  world.node().destroy();
  await world.settle();
  expect(client.end).toBe("destroyed");
  expect(world.runtime.timers).toBe(0);
});
