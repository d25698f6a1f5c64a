import type { Position } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";

async function positionOf(world: Cluster, name: string): Promise<Position> {
  const { epoch, offset, tag } = await world.node().application("acme").head(name);
  return { epoch, offset, tag };
}

/** The heads have been read meanwhile. */
const LOOK = 5_100;

describe("holes left by the bus", () => {
  it("G3: one lost message is found by the beacon, without another publish", async () => {
    const world = await cluster({ nodes: 2 });
    const client = await world.client("ada", 1);
    await client.subscribe("room:1");
    await world.fill("room:1", 1);
    let lost = 0;
    world.bus.loses = ({ message }) => message.kind === "events" && ++lost === 1;
    await world.fill("room:1", 1, 0, () => "lost");
    expect(client.texts("room:1")).toEqual(["1"]);
    await world.advance(600);
    expect(client.texts("room:1")).toEqual(["1", "lost"]);
  });

  it("G3: one lost message is found by the next one, and order is kept", async () => {
    const world = await cluster({ nodes: 2 });
    const client = await world.client("ada", 1);
    await client.subscribe("room:1");
    let lost = 0;
    world.bus.loses = ({ message }) => message.kind === "events" && ++lost <= 2;
    for (const text of ["1", "2", "3"]) await world.fill("room:1", 1, 0, () => text);
    expect(client.texts("room:1")).toEqual(numbers(3));
  });

  it("G3: a bus that loses everything costs five seconds, and nothing else", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    const client = await world.client("ada", 1);
    await client.subscribe("room:1");
    await world.fill("room:1", 100);
    await world.advance(LOOK);
    expect(client.texts("room:1")).toEqual(numbers(100));
  });

  it("N2, D2: what a node stored that nobody had heard of is found within five seconds, also where it is not wanted", async () => {
    const world = await cluster();
    world.bus.loses = () => true;
    await world.addNode();
    const [ada, bob] = [await world.client("ada", 1), await world.client("bob", 1)];
    await ada.subscribe("alarm:1");
    await bob.subscribe("alarm:1", { filter: { types: ["raised"] } });
    await world.fill("alarm:1", 1);
    world.node(0).destroy();
    await world.advance(3_700);
    expect(ada.texts("alarm:1")).toEqual(["1"]);
    await world.advance(1_300);
    expect(bob.all("events")).toMatchObject([{ from: 0, to: 1, events: [] }]);
  });

  it("G3: a bus that repeats and reorders changes nothing", async () => {
    const world = await cluster({ nodes: 2 });
    const client = await world.client("ada", 1);
    await client.subscribe("room:1");
    const kept: Parameters<typeof world.bus.send>[0][] = [];
    world.bus.loses = (envelope) => {
      if (envelope.message.kind === "events") kept.push(envelope);
      return envelope.message.kind === "events";
    };
    for (const text of ["1", "2", "3", "4"]) await world.fill("room:1", 1, 0, () => text);
    world.bus.loses = () => false;
    for (const envelope of [...kept].reverse().concat(kept)) world.bus.send(envelope);
    await world.settle();
    expect(client.texts("room:1")).toEqual(numbers(4));
  });

  it("G3: writes on both nodes at once reach readers of both in one order", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await world.client("ada", 0), await world.client("bob", 1)];
    await here.subscribe("room:1");
    await there.subscribe("room:1");
    for (let seq = 1; seq <= 50; seq++) {
      here.say({ id: here.nextId(), ...here.publishing("room:1", seq, { text: `here ${seq}` }) });
      there.say({ id: there.nextId(), ...there.publishing("room:1", seq, { text: `there ${seq}` }) });
      if (seq % 10 === 0) await world.settle();
    }
    await world.advance(600);
    expect(here.texts("room:1")).toHaveLength(100);
    expect(there.texts("room:1")).toEqual(here.texts("room:1"));
  });

  it("an append whose answer was lost reaches readers when the log answers again", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    world.log().failing = { append: "after", read: "before" };
    await client.publish("room:1", 1);
    expect(client.texts("room:1")).toEqual([]);
    world.log().failing = {};
    await world.advance(LOOK);
    expect(client.texts("room:1")).toEqual(["1"]);
  });
});

describe("catching up", () => {
  it("G4: what is asked for while a read is under way is read after it", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    const [early, late] = [await world.client("ada", 1), await world.client("bob", 1)];
    await world.fill("room:1", 1);
    await early.subscribe("room:1");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log(1).late = { read: promise };
    const history = (atLeast: Position) => ({ type: "history", channel: "room:1", limit: 5, atLeast });
    // This read finds nothing new, and its answer comes late.
    await early.ask(history({ ...(await positionOf(world, "room:1")), offset: 9 }));
    await world.fill("room:1", 1, 0, () => "2");
    await late.ask(history(await positionOf(world, "room:1")));
    resolve();
    await world.settle();
    expect(early.errors()).toEqual(["not-yet"]);
    expect(late.all("page")).toMatchObject([{ events: [{ offset: 1 }, { offset: 2 }] }]);
  });
});

describe("a channel's end and rebirth", () => {
  it("G3: is told to live subscriptions on every node, and the new life reaches them", async () => {
    const world = await cluster({ nodes: 2 });
    const clients = [await world.client("ada", 0), await world.client("bob", 1)];
    await world.fill("room:1", 3);
    for (const client of clients) await client.subscribe("room:1");
    await world.node().application("acme").remove("room:1");
    await world.settle();
    for (const client of clients) {
      expect(client.all("reset")).toMatchObject([{ reason: "epoch", position: { epoch: "-", offset: 0 } }]);
    }
    await world.fill("room:1", 2, 1, (n) => `second ${n}`);
    for (const client of clients) expect(client.texts("room:1")).toEqual(["second 1", "second 2"]);
  });

  it("G3: while the bus loses everything, is told when the heads are read", async () => {
    const world = await cluster({ nodes: 2 });
    const client = await world.client("bob", 1);
    await world.fill("room:1", 3);
    await client.subscribe("room:1");
    world.bus.loses = () => true;
    await world.node().application("acme").remove("room:1");
    await world.fill("room:1", 2, 0, (n) => `second ${n}`);
    await world.advance(LOOK);
    const { epoch } = await positionOf(world, "room:1");
    expect(client.all("reset")).toMatchObject([{ reason: "epoch", position: { epoch, offset: 2 } }]);
    await world.fill("room:1", 1, 0, () => "third");
    await world.advance(LOOK);
    expect(client.texts("room:1")).toEqual(["third"]);
  });

  it("G2: an old life's marks still hold: a retry is not applied to the new one", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.publish("room:1", 1);
    await world.node().application("acme").remove("room:1");
    expect(await client.publish("room:1", 1)).toMatchObject({ duplicate: true });
    expect(await positionOf(world, "room:1")).toMatchObject({ offset: 0 });
  });
});

describe("a history that was lost and rewritten (a restored backup)", () => {
  it.each([
    ["ahead", 1],
    ["rewritten", 4],
  ])("G3: under live subscriptions: they are told %s", async (reason, rewritten) => {
    const world = await cluster({ nodes: 3 });
    await world.fill("room:1", 2);
    const backup = world.store.snapshot();
    const clients = [await world.client("ada", 0), await world.client("bob", 1)];
    for (const client of clients) await client.subscribe("room:1");
    await world.fill("room:1", 3);
    world.store.restore(backup);
    world.bus.loses = () => true;
    await world.fill("room:1", rewritten, 2, (n) => `new ${n}`);
    await world.advance(LOOK);
    const head = await positionOf(world, "room:1");
    for (const client of clients) {
      expect(client.all("reset")).toMatchObject([{ reason, position: head }]);
    }
    await world.fill("room:1", 1, 2, () => "after");
    await world.advance(LOOK);
    for (const client of clients) expect(client.texts("room:1")).toEqual([...numbers(3), "after"]);
  });

  it("G3: of the same length is noticed by the next event: it does not follow", async () => {
    const world = await cluster({ nodes: 2 });
    await world.fill("room:1", 2);
    const backup = world.store.snapshot();
    const client = await world.client("bob", 1);
    await client.subscribe("room:1");
    await world.fill("room:1", 1, 0, () => "3");
    world.bus.loses = () => true;
    world.store.restore(backup);
    await world.fill("room:1", 1, 0, () => "another 3");
    world.bus.loses = () => false;
    await world.fill("room:1", 1, 0, () => "4");
    expect(client.texts("room:1")).toEqual(["3"]);
    expect(client.all("reset")).toMatchObject([{ reason: "rewritten", position: await positionOf(world, "room:1") }]);
  });

  it("G3: is noticed at once by a node's own append into it", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    const backup = world.store.snapshot();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    await world.fill("room:1", 3);
    world.store.restore(backup);
    await client.publish("room:1", 1, { text: "new" });
    expect(client.all("reset")).toMatchObject([{ position: { offset: 3 } }]);
  });

  it("G2: the application's own publishes go on into it, each once", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    const backup = world.store.snapshot();
    await world.fill("room:1", 3);
    world.store.restore(backup);
    await world.fill("room:1", 2, 0, (n) => `new ${n}`);
    const { events } = await world.node().application("acme").history("room:1");
    expect(events.map(({ data }) => (data as { text: string }).text)).toEqual(["1", "2", "new 1", "new 2"]);
  });
});

describe("an append whose first answer was lost", () => {
  it("G3: reaches the subscribers of the node that is told so, without waiting for the regular look", async () => {
    const world = await cluster();
    const [reader, writer] = [await world.client("ada"), await world.client("bob")];
    await reader.subscribe("room:1");
    await world.fill("room:1", 1);
    world.log().failing = { append: "twice" };
    expect(await writer.publish("room:1", 1)).toMatchObject({ type: "published" });
    await world.settle();
    expect(reader.texts("room:1")).toHaveLength(2);
  });
});
