import type { Piece } from "@tandem/model";
import { Assembly } from "@tandem/model";
import type { Position } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import type { RawClient } from "../connection/raw-client.fixture.ts";
import type { Meter } from "./meter.fixture.ts";

async function writer(world: Cluster, user: string, node = 0) {
  world.token(user, { grants: { "*": ["read", "publish", "write", "admin"] } });
  return world.client(user, node);
}

/** Fetches a state, piece by piece. */
async function fetchState(client: RawClient, channel: string, more: object = {}, meanwhile?: () => Promise<unknown>) {
  const assembly = new Assembly<Meter>();
  const positions: Position[] = [];
  let [at, after]: [Position | undefined, string | undefined] = [undefined, undefined];
  do {
    const answer = await client.ask({ type: "state", channel, model: "meter", at, after, ...more });
    if (answer?.type !== "piece") return { answer };
    assembly.add(answer.piece as Piece);
    positions.push(answer.position);
    [at, after] = [answer.position, answer.next];
    await meanwhile?.();
  } while (after !== undefined);
  return { state: assembly.state, positions };
}

describe("a model's state", () => {
  it("is told with the position from which events go on", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 5 });
    await ada.publish("lab:1", 2);
    const { state, positions } = await fetchState(ada, "lab:1");
    expect(state).toMatchObject({ value: 5 });
    expect(positions?.[0]).toMatchObject({ offset: 2 });
    expect(await ada.subscribe("lab:1", { from: positions?.[0] })).toMatchObject({ head: 2 });
  });

  it("is there before anything has happened", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    const { state, positions } = await fetchState(ada, "lab:1");
    expect(state).toMatchObject({ value: 0 });
    expect(positions?.[0]).toEqual({ epoch: "-", offset: 0, tag: "" });
  });

  it("comes in pieces of one position, whatever happens meanwhile, also where each is asked of another node", async () => {
    const world = await cluster({ nodes: 2 });
    const [ada, again] = [await writer(world, "ada", 0), await world.client("ada", 1)];
    for (let seq = 1; seq <= 40; seq++) await ada.command("lab:1", seq, "note", { text: `${seq}`.padEnd(200, "x") });
    let seq = 41;
    const disturb = () => ada.command("lab:1", seq++, "note", { text: "later" });
    const { state, positions } = await fetchState(ada, "lab:1", { bytes: 1_024 }, disturb);
    expect(state?.notes.size).toBe(40);
    expect(new Set(positions?.map(({ offset }) => offset))).toEqual(new Set([40]));
    expect(positions?.length).toBeGreaterThan(5);
    const first = await ada.ask({ type: "state", channel: "lab:1", model: "meter", at: positions?.[0], bytes: 1_024 });
    const next = first?.type === "piece" ? first.next : undefined;
    const piece = await again.ask({ type: "state", channel: "lab:1", model: "meter", at: positions?.[0], after: next });
    expect(piece).toMatchObject({ type: "piece", position: { offset: 40 } });
  });

  it("begins anew where something was erased between two pieces: no viewer holds a part of each", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    for (let seq = 1; seq <= 20; seq++) await ada.command("lab:1", seq, "note", { text: `${seq}`.padEnd(200, "x") });
    const redact = () => world.node().application("acme").redact("lab:1", 3);
    expect(await fetchState(ada, "lab:1", { bytes: 1_024 }, redact)).toMatchObject({ answer: { code: "state-gone" } });
    expect((await fetchState(ada, "lab:1", { bytes: 1_024 })).state?.notes.size).toBe(19);
  });

  it("is what its viewer may hold; events that it may not have are left out", async () => {
    const world = await cluster();
    const [ada, bob] = [await writer(world, "ada"), await writer(world, "bob")];
    await bob.subscribe("lab:1");
    await ada.command("lab:1", 1, "note", { text: "a" });
    await bob.command("lab:1", 1, "note", { text: "b" });
    const { state } = await fetchState(bob, "lab:1");
    expect([...(state?.notes.values() ?? [])]).toEqual([{ by: "bob", text: "b" }]);
    expect(bob.events("lab:1")).toMatchObject([{ type: "meter.noted", data: { text: "b" } }]);
    const page = await bob.ask({ type: "history", channel: "lab:1", limit: 10 });
    expect(page).toMatchObject({ type: "page", events: [{ data: { text: "b" } }] });
  });

  it("can be told as it was", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    const answers = [];
    for (let seq = 1; seq <= 5; seq++) answers.push(await ada.command("lab:1", seq, "add", { by: 1 }));
    const third = answers[2];
    const at = third?.type === "published" ? third.position : undefined;
    expect((await world.node().application("acme").model("lab:1", "meter").state(at)).state).toMatchObject({
      value: 3,
    });
  });

  it.each([
    ["of another life", { epoch: "other", offset: 3, tag: "x" }],
    ["of another history", { epoch: undefined, offset: 3, tag: "x" }],
    ["after the head", { epoch: undefined, offset: 30, tag: "x" }],
  ])("at a position %s is gone", async (_, wrong) => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    for (let seq = 1; seq <= 5; seq++) await ada.command("lab:1", seq, "add", { by: 1 });
    const { epoch } = await world.node().application("acme").head("lab:1");
    const at = { ...wrong, epoch: wrong.epoch ?? epoch };
    expect(await ada.ask({ type: "state", channel: "lab:1", model: "meter", at })).toMatchObject({
      code: "state-gone",
    });
  });

  it("takes the right to read, and a declared model", async () => {
    const world = await cluster();
    world.token("eve", { grants: {} });
    const eve = await world.client("eve");
    expect(await eve.ask({ type: "state", channel: "lab:1", model: "meter" })).toMatchObject({ code: "forbidden" });
    const ada = await writer(world, "ada");
    expect(await ada.ask({ type: "state", channel: "lab:1", model: "none" })).toMatchObject({
      code: "invalid-command",
    });
  });
});

describe("snapshots of a model", () => {
  it("are stored after many events, so that a node need not read all that ever happened", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    const ask = Promise.all(
      Array.from({ length: 1_200 }, (_, at) =>
        application.model("lab:1", "meter").command("add", { by: at % 2 ? 1 : -1 }),
      ),
    );
    await world.settle();
    await ask;
    expect(await world.log().log.snapshots("acme/lab:1", "meter")).toHaveLength(2);
    await world.addNode();
    const reads = world.log(1).count("read");
    expect((await world.node(1).application("acme").model("lab:1", "meter").state()).state).toMatchObject({ value: 0 });
    expect(world.log(1).count("read") - reads).toBeLessThan(3);
  });

  it("are stored before history is trimmed, which goes no further than they allow", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.command("short:1", 1, "add", { by: 5 });
    for (let round = 0; round < 4; round++) {
      await world.fill("short:1", 30);
      await world.advance(6_000);
    }
    const head = await world.node().application("acme").head("short:1");
    expect(head.first).toBeGreaterThan(60);
    await world.addNode();
    expect((await world.node(1).application("acme").model("short:1", "meter").state()).state).toMatchObject({
      value: 5,
    });
  });

  it("are not needed by a model that nothing was trimmed of: what happened since counts all the same", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await world.fill("short:1", 60);
    await world.advance(6_000);
    expect((await world.node().application("acme").head("short:1")).first).toBeGreaterThan(30);
    const answer = await ada.command("short:1", 1, "add", { by: 5 });
    await ada.publish("short:1", 2);
    await world.addNode();
    const model = world.node(1).application("acme").model("short:1", "meter");
    expect((await model.state()).state).toMatchObject({ value: 5 });
    await model.command("add", { by: 2 });
    expect((await model.state()).state).toMatchObject({ value: 7 });
    const at = answer?.type === "published" ? answer.position : undefined;
    expect((await model.state(at)).state).toMatchObject({ value: 5 });
  });

  it("of another life of the channel are not taken", async () => {
    const world = await cluster({ nodes: 2 });
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 5 });
    await world.node().application("acme").remove("lab:1");
    await world.settle();
    expect((await world.node(1).application("acme").model("lab:1", "meter").state()).state).toMatchObject({ value: 0 });
    expect(await ada.command("lab:1", 2, "add", { by: 100 })).toMatchObject({ type: "published" });
  });
});

describe("an older state", () => {
  it("is told also by a node that has not heard of the channel's present life", async () => {
    const world = await cluster({ nodes: 2 });
    const [ada, bob] = [await writer(world, "ada"), await writer(world, "bob", 1)];
    await bob.subscribe("short:1");
    await world.fill("short:1", 60);
    await world.advance(6_000);
    const model = world.node(1).application("acme").model("short:1", "meter");
    await model.state();
    world.bus.loses = () => true;
    await world.node().application("acme").remove("short:1");
    await world.settle();
    const answer = await ada.command("short:1", 1, "add", { by: 3 });
    await ada.command("short:1", 2, "add", { by: 4 });
    const at = answer?.type === "published" ? answer.position : undefined;
    expect(at).toMatchObject({ offset: 1 });
    expect((await model.state(at)).state).toMatchObject({ value: 3 });
  });
});

describe("a model that meets what it does not know", () => {
  it("stops with a clear error, and the channel goes on", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 5 });
    const event = { type: "meter.strange", version: 2, data: "{}", author: undefined, trace: undefined };
    const producer = { id: "00000000-aaaaaaaaaaaaaaaaaaaaaa", user: "", seq: 1, digest: "d" };
    const append = { channel: "acme/lab:1", producer, events: [event], now: 0, birth: "b" };
    await world.log().log.append([append]);
    await world.advance(6_000);
    expect(await ada.command("lab:1", 2, "add", { by: 5 })).toMatchObject({ code: "model-stopped", retryable: false });
    expect(await ada.ask({ type: "state", channel: "lab:1", model: "meter" })).toMatchObject({ code: "model-stopped" });
    expect(await ada.command("lab:1", 3, "add", { by: 5 }, { model: "other" })).toMatchObject({ type: "published" });
    expect(await ada.publish("lab:1", 4)).toMatchObject({ type: "published" });
  });
});

describe("a model whose stored state is of a newer version", () => {
  it("M14: stops with a clear error, and the channel and its other models go on", async () => {
    const world = await cluster();
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 5 });
    const { epoch, offset, tag } = await world.node().application("acme").head("lab:1");
    const head = { channel: "acme/lab:1", model: "meter", version: 3, position: { epoch, offset, tag }, tag: "t" };
    await world.log().log.saveSnapshot(head, [JSON.stringify({ head: {}, tables: [] })]);
    await world.addNode();
    const again = await world.client("ada", 1);
    const answers = [
      again.command("lab:1", 1, "add", { by: 5 }),
      again.publish("lab:1", 2),
      again.command("lab:1", 3, "add", { by: 5 }, { model: "other" }),
      again.ask({ type: "state", channel: "lab:1", model: "meter" }),
    ];
    expect(await Promise.all(answers)).toMatchObject([
      { code: "model-stopped", retryable: false },
      { type: "published" },
      { type: "published" },
      { code: "model-stopped" },
    ]);
  });
});

describe("an event of a model that was erased", () => {
  it("changes nothing any more, on every node", async () => {
    const world = await cluster({ nodes: 2 });
    const ada = await writer(world, "ada");
    await ada.command("lab:1", 1, "add", { by: 5 });
    await ada.command("lab:1", 2, "add", { by: 7 });
    for (const node of [0, 1]) {
      const { state } = await world.node(node).application("acme").model("lab:1", "meter").state();
      expect(state).toMatchObject({ value: 12 });
    }
    await world.node().application("acme").redact("lab:1", 1);
    await world.settle();
    for (const node of [0, 1]) {
      const { state } = await world.node(node).application("acme").model("lab:1", "meter").state();
      expect(state).toMatchObject({ value: 7 });
    }
    expect(await ada.command("lab:1", 3, "add", { by: 93 })).toMatchObject({ type: "published" });
  });
});

describe("a deadline", () => {
  it("G8: takes effect once, on time, when nobody is connected, and whichever node sees to it", async () => {
    const world = await cluster({ nodes: 2 });
    const application = world.node().application("acme");
    await application.model("lab:1", "meter").command("add", { by: 5 });
    await application.model("lab:1", "meter").command("light", { ms: 10_000 });
    await world.advance(9_900);
    expect((await application.model("lab:1", "meter").state()).state).toMatchObject({ value: 5 });
    await world.advance(1_500);
    const { events } = await application.history("lab:1");
    expect(events.map(({ type }) => type)).toEqual(["meter.added", "meter.lit", "meter.faded"]);
    await world.advance(20_000);
    expect((await application.head("lab:1")).offset).toBe(3);
    expect(await world.log().log.deadlines(10)).toEqual([]);
  });

  it("that was moved takes effect at its new time only", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await application.model("lab:1", "meter").command("light", { ms: 5_000 });
    await world.advance(4_000);
    await application.model("lab:1", "meter").command("light", { ms: 5_000 });
    await world.advance(4_000);
    expect((await application.head("lab:1")).offset).toBe(2);
    await world.advance(2_500);
    expect((await application.head("lab:1")).offset).toBe(3);
  });

  it("that passed while no node was up takes effect at the next start", async () => {
    const world = await cluster();
    await world.node().application("acme").model("lab:1", "meter").command("light", { ms: 5_000 });
    world.node().destroy();
    await world.advance(60_000);
    await world.addNode();
    await world.advance(1_500);
    expect((await world.node(1).application("acme").head("lab:1")).offset).toBe(2);
  });
});
