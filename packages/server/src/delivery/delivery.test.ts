import { jsonCodec } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { cluster, numbers } from "../cluster.fixture.ts";

const WINDOW = 131_072;

/** A text of about a kilobyte. */
const kilobyte = (n: number) => String(n).padEnd(1_000);
const trimmed = (texts: readonly unknown[]) => texts.map((text) => String(text).trim());

describe("a slow reader", () => {
  it("G13: gets no more than its window without an acknowledgement, and everything once it reads on", async () => {
    const world = await cluster();
    const [slow, fast] = [await world.client("ada"), await world.client("bob")];
    await slow.subscribe("room:1");
    await fast.subscribe("room:1");
    slow.reading = false;
    for (let round = 0; round < 20; round++) await world.fill("room:1", 100, 0, (n) => kilobyte(round * 100 + n));
    expect(trimmed(fast.texts("room:1"))).toEqual(numbers(2_000));
    expect(slow.buffered()).toBeLessThan(WINDOW + 2 * 16_384);
    expect(slow.buffered()).toBeGreaterThan(WINDOW / 2);
    slow.resume();
    await world.settle();
    expect(trimmed(slow.texts("room:1"))).toEqual(numbers(2_000));
    await world.fill("room:1", 1, 0, () => "live");
    expect(slow.texts("room:1").at(-1)).toBe("live");
  });

  it("G13: that reads and acknowledges nothing is asked, and closed 4001 after 30 s", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    client.acknowledges = false;
    await world.fill("room:1", 1);
    await world.advance(16_500);
    expect(client.all("ping")).toHaveLength(1);
    client.say({ type: "pong" });
    await world.advance(13_000);
    expect(client.end).toBeUndefined();
    await world.advance(3_000);
    expect(client.end).toEqual({ code: 4001, reason: "no-progress" });
  });

  it("G11: that floods with requests and reads nothing is cut, and nothing is kept of it", async () => {
    const world = await cluster();
    const [flood, control] = [await world.client("ada"), await world.client("bob")];
    await control.subscribe("room:1");
    flood.reading = false;
    const pings = Array.from({ length: 512 }, () => ({ type: "ping" }));
    for (let frame = 0; frame < 200 && !flood.end; frame++) {
      flood.say(...pings);
      await world.settle();
    }
    expect(flood.end).toBe("destroyed");
    await world.fill("room:1", 1);
    expect(control.texts("room:1")).toEqual(["1"]);
    expect(world.node().connections).toBe(1);
  });
});

describe("lanes", () => {
  it("are served in their order within one flush, whatever came first", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    for (const name of ["bulk:1", "room:1", "alert:1"]) await client.subscribe(name);
    const { promise, resolve } = Promise.withResolvers<void>();
    const log = world.log();
    log.held = { append: promise };
    const application = world.node().application("acme");
    const published = ["bulk:1", "room:1", "alert:1"].map((name) =>
      application.publish(name, "message", { text: "x" }),
    );
    await world.settle();
    resolve();
    await world.settle();
    await Promise.all(published);
    expect(client.all("events").map(({ channel }) => channel)).toEqual(["alert:1", "room:1", "bulk:1"]);
  });

  it("leave room for an alert where a replay has filled its own share", async () => {
    const world = await cluster();
    await world.fill("bulk:1", 300, 0, kilobyte);
    const client = await world.client("ada");
    await client.subscribe("alert:1");
    client.acknowledges = false;
    await client.subscribe("bulk:1", { from: { last: 300 } });
    await world.fill("bulk:1", 1);
    expect(client.at("bulk:1")).toBeLessThan(300);
    await world.fill("alert:1", 1, 0, () => "fire");
    expect(client.texts("alert:1")).toEqual(["fire"]);
    client.acknowledges = true;
    client.acknowledge();
    await world.settle();
    expect(client.at("bulk:1")).toBe(301);
  });

  it("a subscription may ask for its own: replay, live events and its end share it", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("bulk:1", { lane: "critical" });
    await client.subscribe("room:1");
    const application = world.node().application("acme");
    const published = ["room:1", "bulk:1"].map((name) => application.publish(name, "message", { text: "x" }));
    await world.settle();
    await Promise.all(published);
    expect(client.all("events").map(({ channel }) => channel)).toEqual(["bulk:1", "room:1"]);
  });
});

describe("credit", () => {
  it("G13: acknowledging what was never sent closes 4408", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    client.say({ type: "received", frames: client.frames + 1 });
    await world.settle();
    expect(client.end).toEqual({ code: 4408, reason: "credit-violation" });
  });

  it("G13: counting backwards closes 4408", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    client.say({ type: "received", frames: 0 });
    await world.settle();
    expect(client.end).toMatchObject({ code: 4408 });
  });
});

describe("one encoding for all", () => {
  it("an event is encoded once for its subscribers, its replay and its history", async () => {
    const world = await cluster();
    let encoded = 0;
    let joined = 0;
    const counting: typeof jsonCodec = {
      ...jsonCodec,
      encodeEvent: (event) => {
        encoded++;
        return jsonCodec.encodeEvent(event);
      },
      encodeWithEvents: (head, events) => {
        joined++;
        return jsonCodec.encodeWithEvents(head, events);
      },
    };
    const clients = [];
    for (let at = 0; at < 50; at++) clients.push(await world.client(`user${at}`, 0, counting));
    for (const client of clients) await client.subscribe("room:1");
    await world.fill("room:1", 10);
    const late = await world.client("late", 0, counting);
    await late.subscribe("room:1", { from: { last: 10 } });
    await late.ask({ type: "history", channel: "room:1", limit: 9 });
    for (const client of [...clients, late]) expect(client.texts("room:1")).toEqual(numbers(10));
    expect(encoded).toBe(10);
    // The ten come in two batches (the first alone), and the page is the late one's own.
    expect(joined).toBeLessThanOrEqual(4);
    const back = [];
    for (let at = 0; at < 20; at++) back.push(await world.client(`back${at}`, 0, counting));
    for (const client of back) await client.subscribe("room:1", { from: { last: 10 } });
    for (const client of back) expect(client.texts("room:1")).toEqual(numbers(10));
    expect(joined).toBeLessThanOrEqual(4);
  });
});

describe("visible", () => {
  const to = (user: string, text: string) => ({ text, to: user });

  it("G3, G10: hides an event from who may not read it, live, in replay and in history, with ranges that cover it", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.client("ada"), await world.client("bob")];
    await ada.subscribe("private:1");
    await bob.subscribe("private:1");
    for (const [at, user] of ["ada", "bob", "bob", "ada"].entries()) {
      await ada.publish("private:1", at + 1, to(user, `${at + 1} for ${user}`));
    }
    expect(ada.texts("private:1")).toEqual(["1 for ada", "4 for ada"]);
    expect(bob.texts("private:1")).toEqual(["2 for bob", "3 for bob"]);
    expect([ada.at("private:1"), bob.at("private:1")]).toEqual([4, 3]);
    await world.advance(1_000);
    expect([ada.at("private:1"), bob.at("private:1")]).toEqual([4, 4]);
    const late = await world.client("bob");
    await late.subscribe("private:1", { from: { last: 4 } });
    expect(late.texts("private:1")).toEqual(["2 for bob", "3 for bob"]);
    expect(late.at("private:1")).toBe(4);
    const page = await late.ask({ type: "history", channel: "private:1", limit: 4 });
    expect(page).toMatchObject({ events: [{ offset: 2 }, { offset: 3 }] });
    expect(JSON.stringify(late.told)).not.toContain("for ada");
  });

  it("G10: that throws hides the event; publishes are answered, and delivery goes on", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.client("ada"), await world.client("bob")];
    await ada.subscribe("private:1");
    await bob.subscribe("private:1");
    world.rules.blind = true;
    expect(await ada.publish("private:1", 1, to("bob", "hidden"))).toMatchObject({ type: "published" });
    expect(bob.texts("private:1")).toEqual([]);
    world.rules.blind = false;
    await ada.publish("private:1", 2, to("bob", "seen"));
    expect(bob.texts("private:1")).toEqual(["seen"]);
    expect(bob.at("private:1")).toBe(2);
    expect(world.runtime.lines).toContainEqual(
      expect.objectContaining({ level: "error", fields: expect.objectContaining({ noise: "visible" }) }),
    );
  });
});

describe("the node's gate", () => {
  it("G10: closes when revocations cannot be learnt for 5 s; delivery goes on where it was when they can", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await world.client("ada", 0), await world.client("bob", 1)];
    await here.subscribe("room:1");
    await there.subscribe("room:1");
    await world.fill("room:1", 1);
    world.log(0).failing = { read: "before" };
    await world.advance(7_000);
    expect(world.node(0).readiness()).toMatchObject({ ready: false });
    await world.fill("room:1", 2, 0, (n) => `while closed ${n}`);
    expect(here.texts("room:1")).toEqual(["1"]);
    expect(there.texts("room:1")).toEqual(["1", "while closed 1", "while closed 2"]);
    expect(await here.ask({ type: "history", channel: "room:1", limit: 5 })).toBeUndefined();
    world.log(0).failing = {};
    await world.advance(2_500);
    expect(here.texts("room:1")).toEqual(["1", "while closed 1", "while closed 2"]);
    expect(here.all("page")).toHaveLength(1);
    expect(world.node(0).readiness()).toEqual({ ready: true });
  });

  it("G10: holds what was read before it closed: who was revoked meanwhile is told nothing of it", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.client("ada"), await world.client("bob")];
    await world.fill("room:1", 1);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().late = { page: promise };
    for (const client of [ada, bob]) client.say({ type: "history", id: 7, channel: "room:1", limit: 5 });
    await world.settle();
    world.log().late = {};
    world.log().failing = { read: "before" };
    await world.advance(7_000);
    const revocation = { kind: "user", tenant: "acme", user: "ada", before: world.runtime.now() } as const;
    world.log().failing = {};
    resolve();
    await world.settle();
    expect([ada.all("page"), bob.all("page")]).toEqual([[], []]);
    const revoked = world.node().revoke(revocation);
    await Promise.all([world.settle(), revoked]);
    await world.advance(2_500);
    expect([ada.all("page"), bob.all("page").length, ada.errors()]).toEqual([[], 1, ["needs-auth"]]);
  });
});
