import { DEFAULT_LIMITS } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { cluster, numbers } from "../cluster.fixture.ts";

/** The slowest reader that is served. */
const BYTES_PER_SECOND = 1_024;

/** A client gives its connection up when nothing came for this long: a frame has to come whole in less. */
const CLIENT_PATIENCE = DEFAULT_LIMITS.pingMs + DEFAULT_LIMITS.pongMs;

/** Texts whose event is `bytes` long in all, about. */
const padded = (bytes: number, letter: string) => (n: number) =>
  `${n} `.padEnd(Math.floor((bytes - 40) / Buffer.byteLength(letter)), letter);

describe("an honest reader at 1 KB/s", { timeout: 60_000 }, () => {
  it.each([
    ["small events", 200, 5_000, "x"],
    ["events of a kilobyte", 1_024, 1_000, "x"],
    ["events of 32 KB, as long as they may be", DEFAULT_LIMITS.eventBytes, 32, "x"],
    ["letters of three bytes each", 1_024, 1_000, "語"],
  ])("G13, D6: is never closed, and gets a megabyte of %s", async (_, bytes, count, letter) => {
    const world = await cluster({ limits: { publishesPerConnection: 1_000_000 } });
    const text = padded(bytes, letter);
    await world.fill("room:1", count, 0, text);
    const reader = await world.client("slow");
    reader.bytesPerSecond = BYTES_PER_SECOND;
    reader.say({ id: reader.nextId(), type: "subscribe", channel: "room:1", from: { last: count } });
    for (let minutes = 0; minutes < 60 && reader.texts("room:1").length < count; minutes++) await world.advance(60_000);
    expect(reader.end).toBeUndefined();
    expect(reader.texts("room:1").map((said) => `${said}`.split(" ")[0])).toEqual(numbers(count));
    expect(reader.longestSilence).toBeLessThan(CLIENT_PATIENCE);
    // Caught up, it gets what is new.
    await world.fill("room:1", 1, 0, () => "new");
    await world.advance(5_000);
    expect(reader.texts("room:1").at(-1)).toBe("new");
  });

  it("G13, D6: is never closed by what comes from many channels at once", async () => {
    const world = await cluster();
    const channels = Array.from({ length: 8 }, (_, n) => `room:${n}`);
    for (const channel of channels) await world.fill(channel, 1, 0, padded(15_000, "語"));
    const reader = await world.client("slow");
    reader.bytesPerSecond = BYTES_PER_SECOND;
    reader.say(...channels.map((channel) => ({ id: reader.nextId(), type: "subscribe", channel, from: { last: 1 } })));
    await world.advance(180_000);
    expect(reader.end).toBeUndefined();
    for (const channel of channels) expect(reader.texts(channel)).toHaveLength(1);
    expect(reader.longestSilence).toBeLessThan(CLIENT_PATIENCE);
  });

  it("G13, D6: is not closed while it pages through history", async () => {
    const world = await cluster();
    await world.fill("room:1", 300, 0, padded(1_024, "語"));
    const reader = await world.client("slow");
    reader.bytesPerSecond = BYTES_PER_SECOND;
    let [before, seen]: [number | undefined, number] = [undefined, 0];
    do {
      const id = reader.nextId();
      reader.say({ id, type: "history", channel: "room:1", limit: 500, before });
      await world.advance(60_000);
      const page = reader.answer(id);
      if (page?.type !== "page")
        throw new Error(`It was told ${page?.type}, and its end is ${JSON.stringify(reader.end)}.`);
      before = page.next;
      seen += page.events.length;
    } while (before !== undefined);
    expect(seen).toBe(300);
    expect(reader.longestSilence).toBeLessThan(CLIENT_PATIENCE);
  });

  it("D6: one that takes nothing is closed after 30 s all the same, probed before", async () => {
    const world = await cluster();
    await world.fill("room:1", 100, 0, padded(1_024, "x"));
    const reader = await world.client("deaf");
    reader.bytesPerSecond = 0.001;
    reader.say({ id: reader.nextId(), type: "subscribe", channel: "room:1", from: { last: 100 } });
    await world.advance(29_000);
    expect(reader.end).toBeUndefined();
    await world.advance(10_000);
    expect(reader.end).toEqual({ code: 4001, reason: "no-progress" });
  });
});
