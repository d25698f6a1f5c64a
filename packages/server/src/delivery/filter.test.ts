import { describe, expect, it, vi } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";

const SEVERE = { filter: { types: ["raised"], where: { severity: { min: 5 } } } };

/** Raises alarms of these severities, in order. */
async function raise(world: Cluster, ...severities: readonly number[]): Promise<void> {
  const application = world.node().application("acme");
  const done = severities.map((severity) =>
    application.publish("alarm:1", "raised", { text: `at ${severity}`, severity }),
  );
  await world.settle();
  await Promise.all(done);
}

describe("a filter", () => {
  it("G3, D11: picks the same events live, in replay, catching up and after coming back, with ranges that cover the rest", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("alarm:1", SEVERE);
    for (const severity of [7, 1, 5]) await raise(world, severity);
    await world.fill("alarm:1", 1);
    await raise(world, 2, 9, 4);
    expect(client.texts("alarm:1")).toEqual(["at 7", "at 5", "at 9"]);
    const late = await world.client("bob");
    expect(await late.subscribe("alarm:1", { ...SEVERE, from: { last: 5 } })).toMatchObject({ type: "subscribed" });
    expect(late.texts("alarm:1")).toEqual(["at 5", "at 9"]);
    expect(late.at("alarm:1")).toBe(7);
    // Past what is remembered, from the log.
    for (let round = 0; round < 8; round++) await raise(world, ...Array(100).fill(3));
    await raise(world, 8);
    const old = await world.client("cyd");
    await old.subscribe("alarm:1", { ...SEVERE, from: { last: 10_000 } });
    expect(old.texts("alarm:1")).toEqual(["at 7", "at 5", "at 9", "at 8"]);
    expect(client.texts("alarm:1")).toEqual(["at 7", "at 5", "at 9", "at 8"]);
    // A slow reader: what it misses it reads from the log, by the same filter.
    client.reading = false;
    await client.subscribe("room:1");
    for (let round = 0; round < 3; round++) await world.fill("room:1", 100, 0, (n) => String(n).padEnd(1_000));
    await raise(world, 6, 1, 1, 6, 1);
    client.resume();
    await world.settle();
    expect(client.texts("alarm:1")).toEqual(["at 7", "at 5", "at 9", "at 8", "at 6", "at 6"]);
    expect(client.at("alarm:1")).toBe(813);
  });

  it("D2: sends nothing where nothing is wanted, and tells what was passed over once a second, and before the next event", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("alarm:1", SEVERE);
    const { frames } = client;
    for (let at = 0; at < 20; at++) await raise(world, 1);
    expect([client.frames, client.at("alarm:1")]).toEqual([frames, 0]);
    await world.advance(1_000);
    expect([client.frames, client.at("alarm:1")]).toEqual([frames + 1, 20]);
    await world.advance(5_000);
    expect(client.frames).toBe(frames + 1);
    await raise(world, 1);
    await raise(world, 9);
    expect(client.all("events").map(({ from, to, events }) => [from, to, events.length])).toEqual([
      [0, 20, 0],
      [20, 21, 0],
      [21, 22, 1],
    ]);
  });

  it("D2: a position told by a statement is one to come back with", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("alarm:1", SEVERE);
    await raise(world, 1);
    await world.advance(1_000);
    const [statement] = client.all("events");
    const { epoch, to: offset, tag } = { epoch: "", ...statement };
    const back = await world.client("ada");
    await raise(world, 9);
    const from = { epoch, offset: offset ?? 0, tag: tag ?? "" };
    expect(await back.subscribe("alarm:1", { ...SEVERE, from })).not.toHaveProperty("reset");
    expect(back.texts("alarm:1")).toEqual(["at 9"]);
  });

  it("G10, D11: shows nothing that the viewer may not see", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const about = (text: string) => client.subscribe("alarm:1", { filter: { where: { text } } });
    await about("secret plan");
    await world.fill("alarm:1", 1, 0, () => "secret plan");
    await world.fill("alarm:1", 1, 0, () => "open plan");
    await world.advance(1_000);
    expect(client.events("alarm:1")).toEqual([]);
    expect(client.at("alarm:1")).toBe(2);
  });

  it("D11: is refused where it names what the channel's type does not declare", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const filters = [{ types: ["raised", "razed"] }, { where: { zone: "north" } }, { where: { size: 1 } }];
    for (const filter of filters) {
      expect(await client.subscribe("alarm:1", { filter })).toMatchObject({ type: "error", code: "invalid-filter" });
    }
    expect(await client.subscribe("alarm:1", SEVERE)).toMatchObject({ type: "subscribed" });
  });

  it("is asked once per distinct filter and batch, however many subscribe", async () => {
    const world = await cluster();
    for (let at = 0; at < 20; at++) {
      const client = await world.client(`user${at}`);
      // Written in another way, it is the same one.
      const where = at % 2 ? { severity: { in: [9, 8] }, text: "at 9" } : { text: "at 9", severity: { in: [8, 9] } };
      await client.subscribe("alarm:1", { filter: { where } });
    }
    const includes = vi.spyOn(Array.prototype, "includes");
    await raise(world, 9);
    const asked = includes.mock.calls.filter(([value]) => value === 9).length;
    includes.mockRestore();
    expect(asked).toBe(1);
    for (const client of world.clients) expect(client.texts("alarm:1")).toEqual(["at 9"]);
  });
});
