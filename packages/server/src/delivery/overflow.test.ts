import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";

/** Publishes rounds of texts "k1 r" … "kN r" of about a kilobyte. */
async function rounds(world: Cluster, name: string, first: number, last: number, keys = 10): Promise<void> {
  for (let round = first; round <= last; round++) {
    await world.fill(name, keys, 0, (n) => `k${n} ${String(round).padEnd(1_000)}`);
  }
}
const short = (texts: readonly unknown[]) => texts.map((text) => String(text).trim());
const round = (number: number, keys = 10) => Array.from({ length: keys }, (_, at) => `k${at + 1} ${number}`);

describe("a subscriber that does not keep up", () => {
  it("D12: where only the latest counts, gets the newest event of each key of what it missed, and is live again", async () => {
    const world = await cluster();
    const [slow, fast] = [await world.client("ada"), await world.client("bob")];
    await slow.subscribe("ticker:1");
    await fast.subscribe("ticker:1");
    slow.acknowledges = false;
    // The first rounds take the window: 131,072 bytes.
    await rounds(world, "ticker:1", 1, 200);
    const before = slow.texts("ticker:1").length;
    expect(before).toBeLessThan(150);
    slow.acknowledges = true;
    slow.acknowledge();
    await world.settle();
    const after = short(slow.texts("ticker:1").slice(before));
    // What it missed begins in the middle of a round, whose keys come again later: only the last round is left.
    expect(after).toEqual(round(200));
    expect(slow.at("ticker:1")).toBe(2_000);
    await rounds(world, "ticker:1", 201, 201);
    expect(short(slow.texts("ticker:1").slice(-10))).toEqual(round(201));
    expect(fast.texts("ticker:1")).toHaveLength(2_010);
  });

  it("D12: of more keys than are kept in hand, gets them piece by piece, and misses the newest of none", async () => {
    const world = await cluster();
    const slow = await world.client("ada");
    await slow.subscribe("ticker:1");
    slow.acknowledges = false;
    await rounds(world, "ticker:1", 1, 3, 400);
    const before = slow.texts("ticker:1").length;
    slow.acknowledges = true;
    slow.acknowledge();
    await world.settle();
    expect(slow.at("ticker:1")).toBe(1_200);
    expect(short(slow.texts("ticker:1").slice(before)).slice(-400)).toEqual(round(3, 400));
    const frames = slow.all("events").map(({ events }) => events.length);
    expect(Math.max(...frames)).toBeLessThan(30);
  });

  it("D12: an event whose key cannot be told is not replaced", async () => {
    const world = await cluster();
    const slow = await world.client("ada");
    await slow.subscribe("ticker:1");
    slow.acknowledges = false;
    await rounds(world, "ticker:1", 1, 20);
    await world.fill("ticker:1", 2, 0, (n) => `keyless ${n}`);
    slow.acknowledges = true;
    slow.acknowledge();
    await world.settle();
    expect(short(slow.texts("ticker:1").slice(-12))).toEqual([...round(20), "keyless 1", "keyless 2"]);
  });

  it("G3, D12: who joins such a channel, or comes back to it, is replayed all of it", async () => {
    const world = await cluster();
    await rounds(world, "ticker:1", 1, 30);
    const late = await world.client("ada");
    await late.subscribe("ticker:1", { from: { last: 300 } });
    expect(late.texts("ticker:1")).toHaveLength(300);
  });

  it("D12: who is too slow for what comes during a replay gets the replay in full, and then the newest", async () => {
    const world = await cluster();
    await rounds(world, "ticker:1", 1, 30);
    const slow = await world.client("ada");
    slow.acknowledges = false;
    await slow.subscribe("ticker:1", { from: { last: 300 } });
    await rounds(world, "ticker:1", 31, 90);
    expect(slow.texts("ticker:1").length).toBeLessThan(200);
    slow.acknowledges = true;
    slow.acknowledge();
    await world.settle();
    const texts = short(slow.texts("ticker:1"));
    expect(texts.slice(0, 300)).toEqual(Array.from({ length: 30 }, (_, at) => round(at + 1)).flat());
    expect(texts.length).toBeLessThan(500);
    expect([texts.slice(-10), slow.at("ticker:1")]).toEqual([round(90), 900]);
  });

  it("G3: a reset drops what was in hand", async () => {
    const world = await cluster();
    const slow = await world.client("ada");
    await slow.subscribe("ticker:1");
    slow.acknowledges = false;
    await rounds(world, "ticker:1", 1, 60);
    const removed = world.node().application("acme").remove("ticker:1");
    await world.settle();
    await removed;
    await rounds(world, "ticker:1", 1, 1, 3);
    slow.acknowledges = true;
    slow.acknowledge();
    await world.settle();
    expect(slow.all("reset")).toMatchObject([{ reason: "epoch" }]);
    await rounds(world, "ticker:1", 2, 2, 3);
    expect(short(slow.texts("ticker:1").slice(-3))).toEqual(round(2, 3));
  });

  it("D12: where nobody may fall behind, is closed with 4008 and comes back to all of it", async () => {
    const world = await cluster();
    const [slow, fast] = [await world.client("ada"), await world.client("bob")];
    await slow.subscribe("brisk:1");
    await fast.subscribe("brisk:1");
    slow.acknowledges = false;
    await rounds(world, "brisk:1", 1, 20);
    expect(slow.end).toEqual({ code: 4008, reason: "too-slow" });
    expect(fast.texts("brisk:1")).toHaveLength(200);
    const back = await world.client("ada");
    const seen = slow.texts("brisk:1").length;
    await back.subscribe("brisk:1", { from: { last: 200 - seen } });
    expect([...slow.texts("brisk:1"), ...back.texts("brisk:1")]).toEqual(fast.texts("brisk:1"));
  });

  it("G10: a closed gate closes nobody: that is not the reader's doing", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("brisk:1");
    world.log().failing = { read: "before" };
    await world.advance(7_000);
    await world.fill("brisk:1", 1);
    expect(client.texts("brisk:1")).toEqual([]);
    world.log().failing = {};
    await world.advance(2_500);
    expect([client.end, client.texts("brisk:1")]).toEqual([undefined, ["1"]]);
  });
});
