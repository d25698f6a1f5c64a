import type { Position } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";

const KEY = "acme/room:1";

async function positionOf(world: Cluster, name: string): Promise<Position> {
  const { epoch, offset, tag } = await world.node().application("acme").head(name);
  return { epoch, offset, tag };
}

/** The heads are read every 5 s. */
const LOOK = 5_100;

describe("a client that comes back", () => {
  it.each([
    ["epoch", (at: Position) => ({ ...at, epoch: "other" })],
    ["ahead", (at: Position) => ({ ...at, offset: at.offset + 1 })],
    ["rewritten", (at: Position) => ({ ...at, tag: "AAAAAAAA" })],
    ["rewritten", (at: Position) => ({ ...at, offset: 1, tag: "AAAAAAAA" })],
    ["trimmed", (at: Position) => ({ ...at, offset: 1 })],
  ])("G3: with a position that does not stand is told %s, and goes on from the head", async (reason, change) => {
    const world = await cluster();
    const name = reason === "trimmed" ? "kept:1" : "room:1";
    await world.fill(name, 700);
    await world.advance(2 * LOOK);
    const head = await positionOf(world, name);
    const client = await world.client("ada");
    expect(await client.subscribe(name, { from: change(head) })).toMatchObject({ reset: reason, position: head });
    await world.fill(name, 1, 0, () => "next");
    expect(client.texts(name)).toEqual(["next"]);
  });

  it("G3: with its position on a node that is behind is not told ahead: the node catches up", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    await (await world.client("bob", 1)).subscribe("room:1");
    await world.fill("room:1", 3);
    const client = await world.client("ada", 1);
    const answer = await client.subscribe("room:1", { from: await positionOf(world, "room:1") });
    expect(answer).toMatchObject({ type: "subscribed", position: { offset: 3 } });
    expect(answer).not.toHaveProperty("reset");
  });

  it("G3: while the log cannot be read is told so, not a reset", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    const client = await world.client("ada", 1);
    await client.subscribe("room:1");
    await world.fill("room:1", 3);
    world.log(1).failing = { read: "before" };
    await client.ask({ type: "unsubscribe", channel: "room:1" });
    const from = await positionOf(world, "room:1");
    expect(await client.subscribe("room:1", { from })).toMatchObject({ code: "storage-unavailable", retryable: true });
  });

  it("1,000 of them read the log not once each", async () => {
    const world = await cluster();
    await world.fill("room:1", 200);
    const begin = await world.client("ada");
    await begin.subscribe("room:1", { from: { last: 200 } });
    const { position } = begin.all("subscribed")[0] ?? {};
    const clients = await Promise.all(Array.from({ length: 1_000 }, (_, at) => world.client(`user${at}`)));
    const before = world.log().calls.length;
    for (const client of clients) client.say({ type: "subscribe", id: 9, channel: "room:1", from: position });
    await world.settle();
    for (const client of clients) expect(client.texts("room:1")).toEqual(numbers(200));
    expect(world.log().calls.length - before).toBe(0);
  });

  it("100 of them from further back than memory reaches share what is read", async () => {
    const world = await cluster();
    await world.fill("room:1", 3_000);
    const clients = await Promise.all(Array.from({ length: 100 }, (_, at) => world.client(`user${at}`)));
    const before = world.log().count("read", KEY);
    for (const client of clients) client.say({ type: "subscribe", id: 9, channel: "room:1", from: { last: 3_000 } });
    await world.settle();
    for (const client of clients) expect(client.texts("room:1")).toEqual(numbers(3_000));
    // One look for each client's position, and one for each piece.
    expect(world.log().count("read", KEY) - before).toBeLessThan(150);
  });

  it("G3: goes on by itself after the log could not be read for a while", async () => {
    const world = await cluster();
    await world.fill("room:1", 3_000);
    const client = await world.client("ada");
    await client.subscribe("room:1", { from: { last: 3_000 } });
    const late = await world.client("bob");
    const { position } = client.all("subscribed")[0] ?? {};
    late.acknowledges = false;
    await late.subscribe("room:1", { from: position });
    world.log().failing = { read: "before" };
    late.acknowledges = true;
    late.acknowledge();
    await world.advance(3_000);
    expect(late.at("room:1")).toBeLessThan(3_000);
    world.log().failing = {};
    await world.advance(1_000);
    expect(late.texts("room:1")).toEqual(numbers(3_000));
  });
});
