import { describe, expect, it } from "vitest";
import { cluster, numbers } from "../cluster.fixture.ts";

const KEY = "acme/room:1";

/** The heads are read every 5 s. */
const LOOK = 5_100;

describe("retention", () => {
  it("trims a channel that is well over its bounds, and readers see what is left", async () => {
    const world = await cluster();
    await world.fill("kept:1", 100);
    await world.advance(2 * LOOK);
    expect(await world.node().application("acme").head("kept:1")).toMatchObject({ first: 81, count: 20 });
    const client = await world.client("ada");
    await client.subscribe("kept:1", { from: { last: 100 } });
    expect(client.texts("kept:1")).toEqual(numbers(100, 81));
    const page = await client.ask({ type: "history", channel: "kept:1", limit: 100 });
    expect(page).toMatchObject({ events: { length: 20 } });
    expect(page).not.toHaveProperty("next");
  });

  it("G3: that overtakes a slow reader tells it reset, and it goes on", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("kept:1");
    client.acknowledges = false;
    for (let round = 0; round < 30; round++) await world.fill("kept:1", 50, 0, (n) => String(n).padEnd(500));
    const at = client.at("kept:1") ?? 0;
    await world.advance(2 * LOOK);
    expect(at).toBeLessThan(1_480);
    client.acknowledges = true;
    client.acknowledge();
    await world.settle();
    expect(client.all("reset")).toMatchObject([{ reason: "trimmed", position: { offset: 1_500 } }]);
    await world.fill("kept:1", 1, 0, () => "next");
    expect(client.texts("kept:1").at(-1)).toBe("next");
  });
});

describe("redact", () => {
  it("takes a payload out of replay and history on every node; its offset stays", async () => {
    const world = await cluster({ nodes: 2 });
    for (const node of [0, 1]) await (await world.client("ada", node)).subscribe("room:1");
    await world.fill("room:1", 3, 0, (n) => `payload ${n}`);
    expect(await world.node().application("acme").redact("room:1", 2)).toBe(true);
    await world.settle();
    for (const node of [0, 1]) {
      const client = await world.client("bob", node);
      await client.subscribe("room:1", { from: { last: 3 } });
      const page = await client.ask({ type: "history", channel: "room:1", limit: 2 });
      expect(client.events("room:1")[1]).toMatchObject({ offset: 2, data: null, redacted: true });
      expect(page).toMatchObject({ events: [{ redacted: true }, { data: { text: "payload 3" } }] });
      expect(JSON.stringify(client.told)).not.toContain("payload 2");
    }
  });

  it("reaches a node that heard nothing of it when it reads the heads", async () => {
    const world = await cluster({ nodes: 2 });
    await (await world.client("ada", 1)).subscribe("room:1");
    await world.fill("room:1", 1, 0, () => "secret");
    await world.settle();
    world.bus.loses = () => true;
    await world.node().application("acme").redact("room:1", 1);
    await world.advance(LOOK);
    const client = await world.client("bob", 1);
    await client.subscribe("room:1", { from: { last: 1 } });
    expect(client.events("room:1")).toMatchObject([{ redacted: true }]);
  });

  it("of a channel that is being loaded is not overlooked", async () => {
    const world = await cluster();
    await world.fill("room:1", 1, 0, () => "secret");
    await world.advance(5 * LOOK);
    const client = await world.client("bob");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().late = { page: promise };
    await client.subscribe("room:1", { from: { last: 1 } });
    await world.node().application("acme").redact("room:1", 1);
    resolve();
    await world.settle();
    expect(client.events("room:1")).toMatchObject([{ redacted: true }]);
    expect(JSON.stringify(client.told)).not.toContain("secret");
  });

  it("takes effect at once, however busy the channel is", async () => {
    const world = await cluster();
    await world.fill("room:1", 3, 0, (n) => `payload ${n}`);
    await (await world.client("ada")).subscribe("room:1");
    const [heads, read] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.log().late = { heads: heads.promise, read: read.promise };
    const redacted = world.node().application("acme").redact("room:1", 2);
    await world.settle();
    // Whatever is read of the channel's row, an event is committed before that is there.
    await world.fill("room:1", 1);
    heads.resolve();
    await world.settle();
    await world.fill("room:1", 1);
    world.log().late = {};
    read.resolve();
    expect(await redacted).toBe(true);
    const client = await world.client("bob");
    await client.subscribe("room:1", { from: { last: 5 } });
    expect(client.events("room:1")).toMatchObject([{}, { redacted: true }, {}, {}, {}]);
    expect(JSON.stringify(client.told)).not.toContain("payload 2");
  });

  it("reaches who waits for a page of a channel that is let go meanwhile", async () => {
    const world = await cluster({ limits: { windowBytes: 16_384 } });
    const client = await world.client("ada");
    await world.fill("room:2", 300, 0, (n) => `payload ${n}`);
    await world.fill("room:1", 4, 0, () => "x".repeat(8_000));
    client.acknowledges = false;
    await client.subscribe("room:1", { from: { last: 4 } });
    expect(await client.ask({ type: "history", channel: "room:2", limit: 2 })).toBeUndefined();
    await world.advance(4 * 3_500);
    await world.node().application("acme").redact("room:2", 300);
    client.acknowledges = true;
    client.acknowledge();
    await world.settle();
    expect(client.all("page")).toMatchObject([{ events: [{ data: { text: "payload 299" } }, { redacted: true }] }]);
    expect(JSON.stringify(client.told)).not.toContain("payload 300");
  });

  it("of what is not there says so", async () => {
    const world = await cluster();
    expect(await world.node().application("acme").redact("room:1", 1)).toBe(false);
  });
});

describe("a channel nobody uses", () => {
  it("is let go, and comes back as it was", async () => {
    const world = await cluster();
    await world.fill("room:1", 2);
    await world.advance(5 * LOOK);
    const before = world.log().count("page", KEY);
    await world.fill("room:1", 1, 0, () => "3");
    expect(world.log().count("page", KEY)).toBe(before + 1);
    const client = await world.client("ada");
    await client.subscribe("room:1", { from: { last: 3 } });
    expect(client.texts("room:1")).toEqual(numbers(3));
  });

  it("G3: is not let go under a subscription that is being opened", async () => {
    const world = await cluster();
    await world.fill("room:1", 2_000);
    // Idle for two looks: the next one would let it go.
    await world.advance(2 * LOOK);
    const client = await world.client("ada");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { read: promise };
    const asked = client.subscribe("room:1", { from: { last: 1_500 } });
    await world.advance(LOOK);
    resolve();
    await asked;
    await world.settle();
    expect(client.texts("room:1")).toEqual(numbers(2_000, 501));
    await world.fill("room:1", 1, 0, () => "live");
    expect(client.texts("room:1").at(-1)).toBe("live");
  });

  it("G3: that was let go all the same while it was opened refuses the subscription, to be asked again", async () => {
    const world = await cluster();
    await world.fill("room:1", 2_000);
    const client = await world.client("ada");
    const { promise, resolve } = Promise.withResolvers<void>();
    // The heads are read, and this read hangs.
    world.log().held = { read: promise };
    const asked = client.subscribe("room:1", { from: { last: 1_500 } });
    await world.advance(5 * LOOK);
    resolve();
    await asked;
    await world.settle();
    expect(client.all("error")).toMatchObject([{ code: "internal", retryable: true }]);
    world.log().held = {};
    await world.advance(2_000);
    expect(await client.subscribe("room:1", { from: { last: 1 } })).toMatchObject({ type: "subscribed" });
  });
});
