import { mintProducer } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { cluster, numbers } from "../cluster.fixture.ts";

describe("a retried publish", () => {
  it("G2: takes effect once, and is answered with the position of the first attempt", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const first = await client.publish("room:1", 1);
    await world.fill("room:1", 1);
    const again = await client.publish("room:1", 1);
    expect(again).toMatchObject({ type: "published", duplicate: true });
    expect(again).toMatchObject({ position: first?.type === "published" ? first.position : undefined });
    expect(client.events("room:1")).toHaveLength(2);
  });

  it("G2: takes effect once on another node too, also when the bus loses everything", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    const here = await world.client("ada", 0);
    const there = await world.client("ada", 1);
    const publish = here.publishing("room:1", 1);
    const first = await here.ask(publish);
    expect(await there.ask(publish)).toEqual({ ...first, id: expect.any(Number), duplicate: true });
    expect(await world.node(0).application("acme").head("room:1")).toMatchObject({ offset: 1 });
  });

  it("G2: sent through two nodes at once ends in one outcome", async () => {
    const world = await cluster({ nodes: 2 });
    const here = await world.client("ada", 0);
    const there = await world.client("ada", 1);
    const publishes = Array.from({ length: 20 }, (_, at) => here.publishing("room:1", at + 1));
    for (const publish of publishes) {
      here.say({ id: here.nextId(), ...publish });
      there.say({ id: there.nextId(), ...publish });
    }
    await world.settle();
    const positions = (client: typeof here) => client.all("published").map(({ position }) => position);
    expect(positions(here)).toEqual(positions(there));
    expect(await world.node().application("acme").head("room:1")).toMatchObject({ offset: 20 });
  });

  it("G2: whose first answer was lost with the log's is told what became of it", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("room:1");
    world.log().failing = { append: "after" };
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "storage-unavailable", retryable: true });
    world.log().failing = {};
    expect(await client.publish("room:1", 1)).toMatchObject({ position: { offset: 1 }, duplicate: true });
    expect(client.texts("room:1")).toEqual(["1"]);
  });

  it("G2: with another body is refused, and the first stands", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.publish("room:1", 1);
    expect(await client.publish("room:1", 1, { text: "other" })).toMatchObject({
      code: "body-mismatch",
      retryable: false,
    });
    expect(await client.publish("room:1", 2)).toMatchObject({ position: { offset: 2 } });
  });

  it("G2: older than the outcomes that are kept is told unknown-outcome, and not applied", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    for (let seq = 1; seq <= 258; seq++) await client.publish("room:1", seq);
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "unknown-outcome" });
    expect(await world.node().application("acme").head("room:1")).toMatchObject({ offset: 258 });
  });
});

describe("a producer", () => {
  it("G2: is the user's own: another user's same id is another producer", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.client("ada"), await world.client("bob")];
    const publish = ada.publishing("room:1", 1);
    await ada.ask(publish);
    expect(await bob.ask(publish)).toMatchObject({ type: "published", position: { offset: 2 } });
  });

  it("G2: that skips a number is told which one is awaited, and what it skipped can still come", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    expect(await client.publish("room:1", 3)).toMatchObject({ code: "out-of-sequence", expected: 1, retryable: true });
    await client.publish("room:1", 1);
    expect(await client.publish("room:1", 3)).toMatchObject({ code: "out-of-sequence", expected: 2 });
    expect(await client.publish("room:1", 2)).toMatchObject({ position: { offset: 2 } });
    expect(await client.publish("room:1", 3)).toMatchObject({ position: { offset: 3 } });
  });

  it("minted further in the future than clocks differ is refused", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const minted = (ahead: number) => mintProducer(world.runtime.now() + ahead, "x".repeat(22));
    const publish = client.publishing("room:1", 1);
    expect(await client.ask({ ...publish, producer: minted(601_000) })).toMatchObject({ code: "producer-invalid" });
    expect(await client.ask({ ...publish, producer: minted(599_000) })).toMatchObject({ type: "published" });
  });

  it("keeps the order of its publishes, also where rights and schemas take their time", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    for (const name of ["club:1", "slow:1", "room:1"]) {
      await client.subscribe(name);
      for (let seq = 1; seq <= 20; seq++) client.say({ id: client.nextId(), ...client.publishing(name, seq) });
      await world.settle();
      expect(client.texts(name)).toEqual(numbers(20));
    }
    expect(client.errors()).toEqual([]);
  });

  it("keeps the order where a schema takes longer for an earlier one", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("slow:1");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.rules.pause = async (text) => {
      if (text === "1") await promise;
    };
    for (const seq of [1, 2, 3]) client.say({ id: client.nextId(), ...client.publishing("slow:1", seq) });
    await world.settle();
    expect(client.all("published")).toEqual([]);
    resolve();
    await world.settle();
    expect(client.texts("slow:1")).toEqual(numbers(3));
    expect(client.errors()).toEqual([]);
  });
});

describe("a final refusal", () => {
  it("G2: settles its number: what comes after it goes on, and a retry is refused again even where it would now be taken", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const refused = await client.publish("strict:1", 1);
    expect(refused).toMatchObject({ code: "invalid-data", retryable: false });
    world.rules.lenient = true;
    expect(await client.publish("strict:1", 1)).toEqual({ ...refused, id: expect.any(Number) });
    expect(await client.publish("strict:1", 2)).toMatchObject({ position: { offset: 1 } });
    world.rules.lenient = false;
    expect(await client.publish("strict:1", 2)).toMatchObject({ duplicate: true });
  });

  it("says what the schema found, path by path", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    expect(await client.publish("private:1", 1, { text: 5 })).toMatchObject({
      code: "invalid-data",
      issues: [
        { path: "text", message: expect.any(String) },
        { path: "to", message: expect.any(String) },
      ],
    });
  });

  it("is told for an event that the channel does not declare, or not in this version", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    expect(await client.ask({ ...client.publishing("room:1", 1), event: "wave" })).toMatchObject({
      code: "invalid-event",
    });
    expect(await client.ask({ ...client.publishing("room:1", 2), version: 2 })).toMatchObject({
      code: "invalid-event",
    });
    expect(await client.publish("room:1", 3)).toMatchObject({ type: "published" });
  });

  it("G12: is told where the type's protect function throws at what was written, and the connection goes on", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    expect(await client.publish("desk:1", 1, null)).toMatchObject({ code: "invalid-data", retryable: false });
    expect(await client.publish("desk:1", 2)).toMatchObject({ code: "fence-required" });
    expect(client.end).toBeUndefined();
  });

  it("is told for data over the limit, in bytes", async () => {
    const world = await cluster({ limits: { eventBytes: 64 } });
    const client = await world.client("ada");
    expect(await client.publish("room:1", 1, { text: "€".repeat(18) })).toMatchObject({ code: "event-too-large" });
    expect(await client.publish("room:1", 2, { text: "e".repeat(52) })).toMatchObject({ type: "published" });
  });

  it("G10: is told to who may not publish there, and settles the number", async () => {
    const world = await cluster();
    world.token("reader", { grants: { "room:*": ["read"] } });
    const client = await world.client("reader");
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "forbidden", retryable: false });
    world.token("reader", { grants: { "room:*": ["read", "publish"] } });
    await client.ask({ type: "refresh", token: "reader" });
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "forbidden" });
    expect(await client.publish("room:1", 2)).toMatchObject({ type: "published" });
  });

  it("G10: is told to who may not publish any more once a schema that takes its time has answered", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    world.token("less", { user: "ada", grants: { "slow:1": ["read"] } });
    const { promise, resolve } = Promise.withResolvers<void>();
    world.rules.pause = () => promise;
    const id = client.nextId();
    client.say({ ...client.publishing("slow:1", 1), id });
    await world.settle();
    expect(await client.ask({ type: "refresh", token: "less" })).toMatchObject({ type: "welcome" });
    resolve();
    await world.settle();
    expect(client.answer(id)).toMatchObject({ code: "forbidden" });
    expect(await world.node().application("acme").head("slow:1")).toMatchObject({ offset: 0 });
  });

  it("is told for an archived channel, which can still be read", async () => {
    const world = await cluster({ nodes: 2 });
    const application = world.node().application("acme");
    await world.fill("room:1", 2);
    const client = await world.client("ada", 1);
    await application.archive("room:1");
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "channel-archived" });
    await client.subscribe("room:1", { from: { last: 2 } });
    expect(client.texts("room:1")).toEqual(["1", "2"]);
    await application.archive("room:1", false);
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "channel-archived" });
    expect(await client.publish("room:1", 2)).toMatchObject({ type: "published" });
  });
});

describe("a refusal for the moment", () => {
  it("G2: settles nothing and holds back what comes behind it, in order", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    world.log().failing = { append: "before" };
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "storage-unavailable" });
    world.log().failing = {};
    expect(await client.publish("room:1", 2)).toMatchObject({ code: "out-of-sequence", expected: 1 });
    expect(await client.publish("room:1", 1)).toMatchObject({ position: { offset: 1 } });
    expect(await client.publish("room:1", 2)).toMatchObject({ position: { offset: 2 } });
  });
});

describe("versions of an event's schema", () => {
  it("a client of the older version publishes, and readers get the present one", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    await client.subscribe("note:1");
    await client.publish("note:1", 1, { text: "old" });
    await client.ask({ ...client.publishing("note:1", 2, { text: "new", tone: "warm" }), version: 2 });
    expect(client.events("note:1")).toMatchObject([
      { version: 2, data: { text: "old", tone: "plain" } },
      { version: 2, data: { text: "new", tone: "warm" } },
    ]);
  });

  it("what an older version stored reaches readers as the present one, live, in replay and in history", async () => {
    const world = await cluster({ nodes: 2 });
    const client = await world.client("ada", 1);
    await client.subscribe("note:1");
    const store = (seq: number) =>
      world.log(0).log.append([
        {
          channel: "acme/note:1",
          producer: { id: mintProducer(0, "y".repeat(22)), user: "", seq, digest: "d" },
          events: [{ type: "message", version: 1, data: '{"text":"old"}', author: undefined, trace: undefined }],
          now: 1,
          birth: "birth",
        },
      ]);
    await store(1);
    await world.advance(6_000);
    const expected = { version: 2, data: { text: "old", tone: "plain" } };
    expect(client.events("note:1")).toMatchObject([expected]);
    const late = await world.client("bob", 0);
    await late.subscribe("note:1", { from: { last: 1 } });
    expect(late.events("note:1")).toMatchObject([expected]);
    expect(await late.ask({ type: "history", channel: "note:1", limit: 5 })).toMatchObject({ events: [expected] });
  });
});

describe("an undeclared type", () => {
  it("is forbidden, and leaves nothing in the log", async () => {
    const world = await cluster();
    const client = await world.client("ada");
    const before = world.log().count("append");
    for (const channel of ["attic:1", "constructor:1", "toString:1".toLowerCase()]) {
      expect(await client.publish(channel, 1)).toMatchObject({ code: "forbidden" });
      expect(await client.subscribe(channel)).toMatchObject({ code: "forbidden" });
      expect(await client.ask({ type: "history", channel, limit: 1 })).toMatchObject({ code: "forbidden" });
    }
    expect(world.log().count("append")).toBe(before);
  });
});
