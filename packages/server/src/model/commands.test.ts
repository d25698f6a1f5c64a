import { askedId } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import type { Meter } from "./meter.fixture.ts";

const ALL = { grants: { "*": ["read", "publish", "write"] } } as const;

async function writer(world: Cluster, user: string, node = 0) {
  world.token(user, ALL);
  return world.client(user, node);
}

async function meterOf(world: Cluster, channel = "lab:1", node = 0): Promise<Meter> {
  const state = world.node(node).application("acme").model(channel, "meter").state();
  await world.settle();
  return (await state).state as Meter;
}

async function soonHistory(world: Cluster) {
  const page = world.node(0).application("acme").history("lab:1", { limit: 10 });
  await world.settle();
  return page;
}

describe("a command", () => {
  it("is decided, stored, told to everyone and answered", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.subscribe("lab:1");
    expect(await ada.command("lab:1", 1, "add", { by: 5 })).toMatchObject({
      type: "published",
      position: { offset: 1 },
    });
    expect(ada.events("lab:1")).toMatchObject([{ type: "meter.added", version: 2, author: "ada", data: { by: 5 } }]);
    expect(await meterOf(world)).toMatchObject({ value: 5 });
  });

  it("that the model refuses is answered with its reason, and settled", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 90 });
    const refused = { type: "error", code: "rejected", retryable: false, reason: { code: "full", room: 10 } };
    expect(await ada.command("lab:1", 2, "add", { by: 20 })).toMatchObject(refused);
    await ada.command("lab:1", 3, "add", { by: -50 });
    // There is room now; the outcome stands.
    expect(await ada.command("lab:1", 2, "add", { by: 20 })).toMatchObject(refused);
    expect(await meterOf(world)).toMatchObject({ value: 40 });
  });

  it("is refused for what there is, not for what a node has not heard of yet", async () => {
    const world = await cluster({ nodes: 2 });
    const [ada, bob] = [await writer(world, "ada", 0), await writer(world, "bob", 1)];
    await ada.command("lab:1", 1, "add", { by: 90 });
    await meterOf(world, "lab:1", 1);
    const answers = [ada.command("lab:1", 2, "add", { by: -50 }), bob.command("lab:1", 1, "add", { by: 20 })];
    expect(await Promise.all(answers)).toMatchObject([{ type: "published" }, { type: "published" }]);
    expect(await meterOf(world)).toMatchObject({ value: 60 });
  });

  it("that changes nothing is settled with the position at which the channel stands", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    expect(await ada.command("lab:1", 1, "add", { by: 0 })).toMatchObject({ position: { epoch: "-", offset: 0 } });
    await ada.publish("lab:1", 2);
    expect(await ada.command("lab:1", 3, "add", { by: 0 })).toMatchObject({ position: { offset: 1 } });
    expect(await ada.command("lab:1", 3, "add", { by: 0 })).toMatchObject({ position: { offset: 1 }, duplicate: true });
    expect(await ada.command("lab:1", 4, "add", { by: 1 })).toMatchObject({ position: { offset: 2 } });
  });

  it("G2: takes effect once, whichever node it is sent to again", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await writer(world, "ada", 0), await world.client("ada", 1)];
    const command = here.commanding("lab:1", 1, "add", { by: 5 });
    const first = await here.ask(command);
    expect(await there.ask(command)).toEqual({ ...first, id: expect.any(Number), duplicate: true });
    expect(await here.ask({ ...command, input: { by: 6 } })).toMatchObject({ code: "body-mismatch" });
    expect(await meterOf(world, "lab:1", 1)).toMatchObject({ value: 5 });
  });

  it("M1: decided again, its events have another id, which begins alike: a history in which it made something else has another tag", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.subscribe("lab:1");
    const before = world.store.snapshot();
    const command = ada.commanding("lab:1", 1, "add", { by: 5 });
    await ada.ask(command);
    const [first] = ada.events("lab:1");
    // A backup is put back: what was acknowledged is gone, and its sender asks again.
    world.store.restore(before);
    await ada.ask(command);
    const { events } = await soonHistory(world);
    expect(events).toMatchObject([{ type: "meter.added", data: { by: 5 } }]);
    expect(askedId(events[0]?.id ?? "")).toBe(askedId(first?.id ?? "-"));
    expect(events[0]?.id).not.toBe(first?.id);
  });

  it("that waits behind others that take long is decided in a later turn, in order", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.subscribe("lab:1");
    // So that what is decided seems to take its time: a round ends after a few.
    let elapsed = world.runtime.elapsed();
    world.runtime.elapsed = () => {
      elapsed += 4;
      return elapsed;
    };
    ada.say(
      ...Array.from({ length: 10 }, (_, at) => ({
        ...ada.commanding("lab:1", at + 1, "add", { by: at + 1 }),
        id: 11 + at,
      })),
    );
    await world.settle();
    expect(ada.events("lab:1").map(({ data }) => data)).toEqual(
      Array.from({ length: 10 }, (_, at) => ({ by: at + 1 })),
    );
    expect(await meterOf(world)).toMatchObject({ value: 55 });
  });

  it("keeps its place among the publishes of its producer", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.subscribe("lab:1");
    ada.say(
      { ...ada.commanding("lab:1", 1, "add", { by: 1 }), id: 11 },
      { ...ada.publishing("lab:1", 2), id: 12 },
      { ...ada.commanding("lab:1", 3, "add", { by: 2 }), id: 13 },
      { ...ada.commanding("lab:1", 4, "add", { by: 3 }), id: 14 },
      { ...ada.publishing("lab:1", 5), id: 15 },
    );
    await world.settle();
    expect(ada.events("lab:1").map(({ type }) => type)).toEqual([
      "meter.added",
      "message",
      "meter.added",
      "meter.added",
      "message",
    ]);
    expect(ada.errors()).toEqual([]);
  });

  it("may make several events, which stand together", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.subscribe("lab:1");
    expect(await ada.command("lab:1", 1, "twice", { by: 2 })).toMatchObject({ position: { offset: 2 } });
    expect(ada.all("events")).toMatchObject([{ from: 0, to: 2 }]);
  });

  it("of an older version of the model is brought up to the present one", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    expect(await ada.ask({ ...ada.commanding("lab:1", 1, "add"), version: 1, input: 7 })).toMatchObject({
      position: { offset: 1 },
    });
    expect(await meterOf(world)).toMatchObject({ value: 7 });
  });

  it.each([
    ["no such model", { model: "nothing" }, "invalid-command"],
    ["no such command", { command: "nothing" }, "invalid-command"],
    ["a property that every object has", { command: "constructor" }, "invalid-command"],
    ["a newer version", { version: 3 }, "invalid-command"],
    ["input that does not match", { input: { by: "five" } }, "invalid-data"],
    ["a right that is lacking", { command: "erase", input: {} }, "forbidden"],
  ])("with %s is refused for good, and the next one goes on", async (_, more, code) => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    const asked = { ...ada.commanding("lab:1", 1, "add", { by: 1 }), ...more };
    expect(await ada.ask(asked)).toMatchObject({ code, retryable: false });
    expect(await ada.command("lab:1", 2, "add", { by: 1 })).toMatchObject({ position: { offset: 1 } });
  });

  it.each([
    ["throw", "rejected"],
    ["promise", "rejected"],
    ["long", "event-too-large"],
    ["many", "event-too-large"],
  ])("whose decision goes wrong (%s) is refused, and the model goes on", async (how, code) => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    expect(await ada.command("lab:1", 1, "fail", { how })).toMatchObject({ code });
    expect(await ada.command("lab:1", 2, "add", { by: 1 })).toMatchObject({ position: { offset: 1 } });
  });

  it("takes the right to write", async () => {
    const world = await cluster();
    const bob = await world.client("bob");
    expect(await bob.command("lab:1", 1, "add", { by: 1 })).toMatchObject({ code: "forbidden" });
  });

  it("gives ids that come from its nonce and its user", async () => {
    const world = await cluster();
    const [ada, bob] = [await writer(world, "ada"), await writer(world, "bob")];
    await ada.command("lab:1", 1, "note", { text: "a" });
    await bob.command("lab:1", 1, "note", { text: "b" });
    const { notes } = await meterOf(world);
    expect(new Set(notes.keys()).size).toBe(2);
  });
});

describe("the models of a channel", () => {
  it("are apart from each other", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    ada.say(
      { ...ada.commanding("lab:1", 1, "add", { by: 1 }), id: 1 },
      { ...ada.commanding("lab:1", 2, "add", { by: 10 }), id: 2, model: "other" },
    );
    await world.settle();
    const application = world.node().application("acme");
    expect((await application.model("lab:1", "meter").state()).state).toMatchObject({ value: 1 });
    expect((await application.model("lab:1", "other").state()).state).toMatchObject({ value: 10 });
  });

  it("cannot be published past their commands", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    const forged = { ...ada.publishing("lab:1", 1, { by: 50 }), event: "meter.added" };
    expect(await ada.ask(forged)).toMatchObject({ code: "invalid-event" });
    expect(await meterOf(world)).toMatchObject({ value: 0 });
  });

  it("that two nodes decide at once end in one state, and no conflict is surfaced", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await writer(world, "ada", 0), await writer(world, "bob", 1)];
    world.bus.loses = () => true;
    for (let seq = 1; seq <= 40; seq++) {
      here.say({ ...here.commanding("lab:1", seq, "add", { by: 1 }), id: seq });
      there.say({ ...there.commanding("lab:1", seq, "add", { by: 1 }), id: seq });
      if (seq % 3 === 0) await world.settle();
    }
    await world.advance(1_000);
    expect([...here.errors(), ...there.errors()]).toEqual([]);
    expect(await meterOf(world, "lab:1", 0)).toMatchObject({ value: 80 });
    expect(await meterOf(world, "lab:1", 1)).toMatchObject({ value: 80 });
  });

  it("never go over their bound, whoever decides", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await writer(world, "ada", 0), await writer(world, "bob", 1)];
    for (let seq = 1; seq <= 40; seq++) {
      here.say({ ...here.commanding("lab:1", seq, "add", { by: 3 }), id: seq });
      there.say({ ...there.commanding("lab:1", seq, "add", { by: 3 }), id: seq });
      if (seq % 5 === 0) await world.settle();
    }
    await world.advance(1_000);
    expect((await meterOf(world)).value).toBe(99);
    expect(here.all("published").length + there.all("published").length).toBe(33);
  });

  it("go on as they were on a node that knows nothing yet, and after events of the channel's own", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 5 });
    await world.fill("lab:1", 700);
    await world.addNode();
    const bob = await writer(world, "bob", 1);
    expect(await bob.command("lab:1", 1, "add", { by: 96 })).toMatchObject({ reason: { code: "full", room: 95 } });
  });

  it("are asked again where the log's answer was lost, and nothing takes effect twice", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    world.log().failing = { append: "after" };
    expect(await ada.command("lab:1", 1, "add", { by: 5 })).toMatchObject({
      code: "storage-unavailable",
      retryable: true,
    });
    world.log().failing = {};
    expect(await ada.command("lab:1", 1, "add", { by: 5 })).toMatchObject({ duplicate: true });
    expect(await ada.command("lab:1", 2, "add", { by: 5 })).toMatchObject({ type: "published" });
    expect(await meterOf(world)).toMatchObject({ value: 10 });
  });
});

describe("a lock's fence", () => {
  it("G7: lets the newest token write, and refuses an older one for good", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    const guarded = (seq: number, token?: number) =>
      ada.ask({
        ...ada.publishing("lab:1", seq, { text: "guarded" }),
        ...(token === undefined ? {} : { fence: { name: "meter/only", token } }),
      });
    expect(await guarded(1)).toMatchObject({ code: "fence-required" });
    await ada.command("lab:1", 2, "lock");
    expect(await guarded(3, 1)).toMatchObject({ type: "published" });
    await ada.command("lab:1", 4, "lock");
    expect(await guarded(5, 1)).toMatchObject({ code: "stale-fence", retryable: false });
    expect(await guarded(6, 2)).toMatchObject({ type: "published" });
  });
});

describe("a secret", () => {
  it("is told by nothing that is stored, and opened once", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.subscribe("lab:1");
    await ada.command("lab:1", 1, "hide", { name: "n", value: 42 });
    await ada.command("lab:1", 2, "hide", { name: "m", value: 7_000_000 });
    const [first, second] = ada.events("lab:1").map(({ data }) => (data as { sealed: string }).sealed.length);
    expect(first).toBe(second);
    await ada.command("lab:1", 3, "show", { name: "n" });
    expect(await meterOf(world)).toMatchObject({ shown: { n: 42 } });
    expect(await ada.command("lab:1", 4, "show", { name: "n" })).toMatchObject({ reason: { code: "nothing-hidden" } });
    expect((await world.log().log.keys("acme/lab:1", "meter")).keys).toMatchObject([{ name: "m" }]);
  });

  it("may be opened by another node", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await writer(world, "ada", 0), await writer(world, "bob", 1)];
    await there.command("lab:1", 1, "add", { by: 1 });
    await here.command("lab:1", 1, "hide", { name: "n", value: 42 });
    expect(await there.command("lab:1", 2, "show", { name: "n" })).toMatchObject({ type: "published" });
    expect(await meterOf(world)).toMatchObject({ shown: { n: 42 } });
  });
});
