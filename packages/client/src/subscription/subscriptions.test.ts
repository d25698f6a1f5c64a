import type { Encoded, Lane, Position, Start } from "@tandem/protocol";
import { jsonFrames } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { ScriptedConnection } from "../testing/scripted-server.ts";
import { at, events } from "../testing/scripted-server.ts";
import { world } from "../testing/world.ts";
import type { EventFilter } from "./handler.ts";

interface Wanted {
  from?: Start;
  atLeast?: Position;
  lane?: Lane;
  filter?: EventFilter;
}

/** A client that is connected, and readers of its channel who note all that they are told. */
async function ready() {
  const here = world();
  const server = await here.connected();
  const room = here.client.channel("room", "1");
  const read = async (wanted: Wanted = {}) => {
    const told: unknown[] = [];
    const subscription = room.subscribe({
      ...wanted,
      onEvents: (list, { replay, position }) => {
        told.push([...list.map(({ offset }) => offset), replay ? "replay" : "live", position.offset]);
      },
      onReset: (reason, position) => told.push(["reset", reason, position.offset]),
      onError: (error) => told.push(["error", error.code]),
      onState: (state) => told.push(state),
    });
    await here.runtime.settle();
    return { ...subscription, told, subscription };
  };
  return { ...here, server, room, read };
}

const stand = (server: ScriptedConnection, position: Position, head = position.offset, more: object = {}) =>
  server.say({ type: "subscribed", id: server.last("subscribe").id, channel: "room:1", position, head, ...more });
const refuse = (server: ScriptedConnection, code: string, retryable: boolean, more: object = {}) =>
  server.say({
    type: "error",
    id: server.last("subscribe").id,
    channel: "room:1",
    code,
    message: code,
    retryable,
    ...more,
  });
const room1 = (from: number, to: number) => events("room:1", from, to);

describe("one reader", () => {
  it("G3: is told replay, then live, in one call per frame", async () => {
    const { read, server } = await ready();
    const reader = await read({ from: { last: 3 }, lane: "critical" });
    expect(server.last("subscribe")).toMatchObject({ channel: "room:1", from: { last: 3 }, lane: "critical" });
    expect(reader.state.get()).toBe("pending");
    await stand(server, at(4), 7);
    expect(reader.state.get()).toBe("catching-up");
    expect(reader.subscription.position).toEqual(at(4));
    await server.say(room1(4, 6), room1(6, 7));
    await server.say(room1(7, 8));
    expect(reader.told).toEqual(["catching-up", [5, 6, 7, "replay", 7], "live", [8, "live", 8]]);
    expect(reader.subscription.position).toEqual(at(8));
  });

  it("1,000 events of one frame are parsed once, handed over in one call, and change a store once", async () => {
    let parsed = 0;
    const decode = (frame: Encoded) => {
      parsed++;
      return jsonFrames.decode(frame);
    };
    const { connected, client, runtime } = world({ codec: { ...jsonFrames, decode } });
    const server = await connected();
    const calls: number[] = [];
    const states: string[] = [];
    const onEvents = (list: readonly unknown[]) => void calls.push(list.length);
    const { state } = client.channel("room", "1").subscribe({ from: { last: 1_000 }, onEvents });
    state.subscribe(() => states.push(state.get()));
    await runtime.settle();
    await stand(server, at(0), 1_000);
    expect(states.splice(0)).toEqual(["catching-up"]);
    const before = parsed;
    await server.say(...Array.from({ length: 20 }, (_, n) => room1(n * 50, n * 50 + 50)));
    expect(parsed - before).toBe(1);
    expect(calls).toEqual([1_000]);
    expect(states).toEqual(["live"]);
  });

  it("a range without events moves the position, and is no call", async () => {
    const { read, server } = await ready();
    const reader = await read();
    await stand(server, at(4), 6);
    await server.say({ type: "events", channel: "room:1", from: 4, to: 6, tag: at(6).tag, events: [] });
    expect(reader.told).toEqual(["catching-up", "live"]);
    expect(reader.subscription.position).toEqual(at(6));
  });

  it("takes the epoch of a channel that was born meanwhile", async () => {
    const { read, reconnected, server } = await ready();
    const reader = await read();
    await stand(server, at(0, "-"));
    await server.say(room1(0, 2));
    expect(reader.subscription.position).toEqual(at(2));
    const second = await reconnected();
    expect(second.last("subscribe").from).toEqual(at(2));
  });

  it("G3: goes on from its position on every connection, and says when its history does not", async () => {
    const { read, reconnected, server } = await ready();
    const reader = await read();
    await stand(server, at(4));
    await server.say(room1(4, 5));
    const second = await reconnected();
    expect(reader.state.get()).toBe("pending");
    expect(second.last("subscribe")).toMatchObject({ from: at(5) });
    await stand(second, at(5), 6);
    await second.say(room1(5, 6));
    const third = await reconnected();
    await stand(third, at(9, "e2"), 9, { reset: "epoch" });
    await third.say({ ...room1(9, 10) });
    expect(reader.told).toEqual([
      "live",
      [5, "live", 5],
      "pending",
      "catching-up",
      [6, "replay", 6],
      "live",
      "pending",
      ["reset", "epoch", 9],
      "live",
      [10, "live", 10],
    ]);
    expect(reader.subscription.position).toEqual({ ...at(10), epoch: "e2" });
  });

  it("G3: a reset of the standing subscription comes after what was delivered before it", async () => {
    const { read, server } = await ready();
    const reader = await read();
    await stand(server, at(4));
    await server.say(
      room1(4, 5),
      { type: "reset", channel: "room:1", position: at(20), reason: "trimmed" },
      room1(20, 21),
    );
    expect(reader.told).toEqual(["live", [5, "live", 5], ["reset", "trimmed", 20], [21, "live", 21]]);
  });

  it("begins at a position that the application kept", async () => {
    const { read, server } = await ready();
    await read({ from: at(17) });
    expect(server.last("subscribe").from).toEqual(at(17));
  });

  it("ends with the reason when it is refused for good, and the channel can be tried again", async () => {
    const { read, server } = await ready();
    const reader = await read();
    await refuse(server, "forbidden", false);
    expect(reader.told).toEqual(["ended", ["error", "forbidden"]]);
    await read();
    expect(server.all("subscribe")).toHaveLength(2);
  });

  it("ends when the server takes the right to read back", async () => {
    const { read, server } = await ready();
    const reader = await read();
    await stand(server, at(4));
    await server.say({ type: "unsubscribed", channel: "room:1" });
    expect(reader.told).toEqual(["live", "ended", ["error", "forbidden"]]);
  });

  it("tries again after a refusal that may pass", async () => {
    const { read, runtime, server } = await ready();
    await read();
    await refuse(server, "overloaded", true, { retryAfter: 4_000 });
    await runtime.pass(3_999);
    expect(server.all("subscribe")).toHaveLength(1);
    await runtime.pass(1);
    expect(server.all("subscribe")).toHaveLength(2);
    await refuse(server, "not-yet", true);
    await runtime.pass(1_000);
    expect(server.all("subscribe")).toHaveLength(3);
  });

  it("unsubscribe ends it, and what still comes reaches nobody", async () => {
    const { read, server, runtime } = await ready();
    const reader = await read();
    await stand(server, at(4));
    reader.unsubscribe();
    await runtime.settle();
    expect(server.last("unsubscribe")).toMatchObject({ channel: "room:1" });
    await server.say(room1(4, 5));
    expect(reader.told).toEqual(["live", "ended"]);
    reader.unsubscribe();
    await runtime.settle();
    expect(server.all("unsubscribe")).toHaveLength(1);
  });

  it("one who leaves and comes back at once does not get what was on its way to the first", async () => {
    const { read, server, runtime } = await ready();
    const first = await read();
    await stand(server, at(4));
    first.unsubscribe();
    const second = await read();
    await runtime.settle();
    expect(server.fresh().map(({ type }) => type)).toEqual(["subscribe", "unsubscribe", "subscribe"]);
    await server.say(room1(4, 5));
    await stand(server, at(5));
    await server.say(room1(5, 6));
    expect(second.told).toEqual(["live", [6, "live", 6]]);
  });

  it("a handler that throws is reported, and goes on", async () => {
    const { room, runtime, server } = await ready();
    const seen: number[] = [];
    room.subscribe({
      onEvents: (list) => {
        seen.push(list.length);
        throw new Error("mine");
      },
    });
    await runtime.settle();
    await stand(server, at(0));
    await server.say(room1(0, 1));
    await server.say(room1(1, 3));
    expect(seen).toEqual([1, 2]);
    expect(runtime.errors).toEqual([new Error("mine"), new Error("mine")]);
  });

  it("a handler may leave, or close the client, while it is told", async () => {
    const { client, room, runtime, server } = await ready();
    const subscription = room.subscribe({ onEvents: () => subscription.unsubscribe() });
    const other = room.subscribe({ onEvents: () => void client.close() });
    await runtime.settle();
    await stand(server, at(0));
    await server.say(room1(0, 1), room1(1, 2));
    expect([subscription.state.get(), other.state.get(), client.status.get().kind]).toEqual([
      "ended",
      "ended",
      "closed",
    ]);
  });
});

describe("ranges", () => {
  it.each<[string, number, number, number[]]>([
    ["a gap", 6, 7, []],
    ["a repeat", 4, 6, []],
    ["backwards", 5, 4, []],
    ["out of order", 5, 8, [7, 6]],
    ["outside", 5, 6, [6, 7]],
    ["twice", 5, 8, [6, 6]],
  ])("G3: %s is noticed: it subscribes anew from where it stands", async (_name, from, to, offsets) => {
    const { read, server, client } = await ready();
    const reader = await read();
    await stand(server, at(4));
    const odd = { type: "events", channel: "room:1", from, to, tag: "odd" };
    const list = offsets.map((offset) => ({ offset, id: "i", type: "message", time: 1, data: 1 }));
    server.fresh();
    await server.say(room1(4, 5), { ...odd, events: list });
    expect(reader.told).toEqual(["live", [5, "live", 5]]);
    expect(server.fresh()).toMatchObject([{ type: "unsubscribe" }, { type: "subscribe", from: at(5) }]);
    await server.say(room1(5, 6));
    await stand(server, at(5), 7);
    await server.say(room1(5, 7));
    expect(reader.told.slice(2)).toEqual(["catching-up", [6, 7, "replay", 7], "live"]);
    expect(client.status.get().kind).toBe("connected");
  });

  it("a second time on one connection, the connection is given up", async () => {
    const { read, server, losses } = await ready();
    await read();
    await stand(server, at(4));
    await server.say(room1(8, 9));
    await stand(server, at(4));
    await server.say(room1(8, 9));
    expect(losses).toEqual(["bad-frame"]);
  });

  it("an answer that does not go on from the position asked for is no answer", async () => {
    const { read, server, losses } = await ready();
    await read({ from: at(17) });
    await stand(server, at(16));
    expect(losses).toEqual(["bad-frame"]);
  });
});

describe("several readers of one channel", () => {
  it("those who begin alike share one subscription", async () => {
    const { room, runtime, server } = await ready();
    const told: string[] = [];
    for (const name of ["a", "b"]) {
      room.subscribe({ from: { last: 2 }, onEvents: (list) => told.push(...list.map(({ offset }) => name + offset)) });
    }
    await runtime.settle();
    expect(server.all("subscribe")).toHaveLength(1);
    await stand(server, at(0), 2);
    await server.say(room1(0, 2));
    expect(told).toEqual(["a1", "a2", "b1", "b2"]);
  });

  it("one who begins now joins the standing subscription without a word to the server", async () => {
    const { read, server } = await ready();
    const first = await read();
    await stand(server, at(4));
    const second = await read();
    expect(server.all("subscribe")).toHaveLength(1);
    expect(second.state.get()).toBe("live");
    await server.say(room1(4, 5));
    expect(first.told).toEqual(["live", [5, "live", 5]]);
    expect(second.told).toEqual(["live", [5, "live", 5]]);
  });

  it("one who begins now beside a reader who is catching up gets what is new, and only that", async () => {
    const { read, server } = await ready();
    const [history, now] = [await read({ from: { last: 3 } }), await read()];
    await stand(server, at(4), 7);
    await server.say(room1(4, 6));
    await server.say(room1(6, 9));
    expect(history.told).toEqual(["catching-up", [5, 6, "replay", 6], [7, 8, 9, "replay", 9], "live"]);
    expect(now.told).toEqual(["catching-up", [8, 9, "live", 9], "live"]);
  });

  it("G3: a latecomer with a past of its own is served it, and the first gets nothing twice", async () => {
    const { read, server } = await ready();
    const first = await read();
    await stand(server, at(4));
    await server.say(room1(4, 6));
    server.fresh();
    const late = await read({ from: { last: 5 } });
    expect(server.fresh()).toMatchObject([{ type: "unsubscribe" }, { type: "subscribe", from: { last: 5 } }]);
    await server.say(room1(6, 7));
    await stand(server, at(2), 7);
    await server.say(room1(2, 5));
    await server.say(room1(5, 7));
    await server.say(room1(7, 8));
    expect(server.fresh()).toEqual([]);
    const offsets = (told: unknown[]) => told.flat().filter((item) => typeof item === "number");
    expect(first.told.filter(Array.isArray)).toEqual([
      [5, 6, "live", 6],
      [7, "replay", 7],
      [8, "live", 8],
    ]);
    expect(late.told.filter(Array.isArray)).toEqual([
      [3, 4, 5, "replay", 5],
      [6, 7, "replay", 7],
      [8, "live", 8],
    ]);
    expect(offsets(late.told)).toContain(3);
    expect([first.state.get(), late.state.get()]).toEqual(["live", "live"]);
  });

  it("G3: a latecomer who begins further on does not make the first miss anything", async () => {
    const { read, server } = await ready();
    const first = await read();
    await stand(server, at(4), 9);
    const late = await read({ from: { last: 1 } });
    await stand(server, at(8), 9);
    // The first stands further back: the wire goes back for it.
    expect(server.last("subscribe").from).toEqual(at(4));
    await stand(server, at(4), 9);
    await server.say(room1(4, 9));
    expect(first.told.filter(Array.isArray)).toEqual([[5, 6, 7, 8, 9, "replay", 9]]);
    expect(late.told.filter(Array.isArray)).toEqual([[9, "replay", 9]]);
  });

  it("G3: on a new connection the furthest is confirmed first, for a rewritten history shows there", async () => {
    const { read, reconnected, server } = await ready();
    const first = await read();
    await stand(server, at(20));
    const late = await read({ from: { last: 18 } });
    await stand(server, at(2), 20);
    await server.say(room1(2, 5));
    const second = await reconnected();
    expect(second.last("subscribe").from).toEqual(at(20));
    await stand(second, at(9), 9, { reset: "rewritten" });
    expect(second.last("subscribe").from).toEqual(at(5));
    await stand(second, at(5), 9);
    await second.say(room1(5, 10));
    expect(first.told).toEqual([
      "live",
      "catching-up",
      "pending",
      ["reset", "rewritten", 9],
      "catching-up",
      [10, "live", 10],
      "live",
    ]);
    expect(late.told.filter(Array.isArray)).toEqual([
      [3, 4, 5, "replay", 5],
      [6, 7, 8, 9, 10, "replay", 10],
    ]);
  });

  it("G3: one who is behind the wire and has to wait gets nothing until the wire comes for it", async () => {
    const { read, runtime, server } = await ready();
    const first = await read();
    await stand(server, at(4), 9);
    const late = await read({ from: { last: 1 } });
    await stand(server, at(8), 9);
    await refuse(server, "overloaded", true, { retryAfter: 1_000 });
    expect(server.last("subscribe").from).toEqual(at(8));
    await stand(server, at(8), 9);
    await server.say(room1(8, 9));
    expect(first.told.filter(Array.isArray)).toEqual([]);
    await runtime.pass(1_000);
    expect(server.last("subscribe").from).toEqual(at(4));
    await stand(server, at(4), 9);
    await server.say(room1(4, 9));
    expect(first.told.filter(Array.isArray)).toEqual([[5, 6, 7, 8, 9, "replay", 9]]);
    expect(late.told.filter(Array.isArray)).toEqual([[9, "replay", 9]]);
  });

  it("G3: a reset that a latecomer meets makes the others ask whether their history still stands", async () => {
    const { read, server } = await ready();
    const first = await read();
    await stand(server, at(20));
    await read({ from: at(12) });
    await stand(server, { ...at(20), tag: "other" }, 20, { reset: "rewritten" });
    expect(server.last("subscribe").from).toEqual(at(20));
    await stand(server, { ...at(20), tag: "other" }, 20, { reset: "rewritten" });
    expect(first.told).toEqual(["live", ["reset", "rewritten", 20]]);
  });

  it("G3: a reset for what was trimmed leaves the others where they were confirmed, however many meet one", async () => {
    const { read, server } = await ready();
    const first = await read();
    await stand(server, at(20));
    const second = await read({ from: at(12) });
    const third = await read({ from: at(3) });
    const fourth = await read({ from: at(2) });
    await stand(server, at(12), 20);
    await stand(server, at(20), 20, { reset: "trimmed" });
    await stand(server, at(20), 20, { reset: "trimmed" });
    await stand(server, at(12), 20);
    expect(server.all("subscribe").map(({ from }) => from)).toEqual([undefined, at(12), at(3), at(2), at(12)]);
    await server.say(room1(12, 21));
    const there = [13, 14, 15, 16, 17, 18, 19, 20, 21];
    expect(second.told.filter(Array.isArray)).toEqual([[...there, "replay", 21]]);
    for (const old of [third, fourth]) {
      expect(old.told.filter(Array.isArray)).toEqual([
        ["reset", "trimmed", 20],
        [21, "live", 21],
      ]);
    }
    expect(first.told.filter(Array.isArray)).toEqual([[21, "live", 21]]);
  });

  it.each([
    ["at the edge", 6],
    ["in the middle", 8],
  ])("G3: a history that was rewritten behind a latecomer's wire shows %s of a range", async (_where, to) => {
    const { read, server } = await ready();
    const first = await read();
    const old = { ...at(6), tag: "other" };
    await stand(server, old);
    const late = await read({ from: { last: 3 } });
    await stand(server, at(3), 6);
    await server.say(room1(3, to));
    expect(late.told.filter(Array.isArray)).toHaveLength(1);
    expect(first.told).toEqual(["live", "catching-up"]);
    expect(server.last("subscribe").from).toEqual(old);
    await stand(server, at(8), 8, { reset: "rewritten" });
    // The latecomer's place has to be confirmed on the history that is there now.
    expect(server.last("subscribe").from).toEqual(at(to));
    await stand(server, at(to), 8);
    await server.say(room1(to, 9));
    expect(first.told.filter(Array.isArray)).toEqual([
      ["reset", "rewritten", 8],
      [9, "live", 9],
    ]);
  });

  it("a latecomer who is reset, or refused, is alone in it", async () => {
    const { read, server } = await ready();
    const first = await read();
    await stand(server, at(4));
    const old = await read({ from: at(1, "e0") });
    await stand(server, at(6), 6, { reset: "epoch" });
    expect(server.last("subscribe").from).toEqual(at(4));
    await stand(server, at(4), 6);
    await server.say(room1(4, 7));
    const refused = await read({ from: at(2) });
    await refuse(server, "forbidden", false);
    expect(server.last("subscribe").from).toEqual(at(7));
    await stand(server, at(7));
    await server.say(room1(7, 8));
    expect(first.told.filter(Array.isArray)).toEqual([
      [5, 6, 7, "replay", 7],
      [8, "live", 8],
    ]);
    expect(old.told.filter(Array.isArray)).toEqual([
      ["reset", "epoch", 6],
      [7, "live", 7],
      [8, "live", 8],
    ]);
    expect(refused.told).toEqual(["ended", ["error", "forbidden"]]);
  });

  it("a latecomer who has to wait does not hold up the first", async () => {
    const { read, runtime, server } = await ready();
    const first = await read();
    await stand(server, at(4));
    const late = await read({ from: { last: 4 }, atLeast: at(9) });
    expect(server.last("subscribe").atLeast).toEqual(at(9));
    await refuse(server, "not-yet", true, { retryAfter: 2_000 });
    expect(server.last("subscribe").from).toEqual(at(4));
    await stand(server, at(4), 5);
    await server.say(room1(4, 5));
    await runtime.pass(2_000);
    expect(server.last("subscribe")).toMatchObject({ from: { last: 4 }, atLeast: at(9) });
    await stand(server, at(5), 9);
    await server.say(room1(5, 9));
    expect(first.told.filter(Array.isArray)).toEqual([
      [5, "replay", 5],
      [6, 7, 8, 9, "replay", 9],
    ]);
    expect(late.told.filter(Array.isArray)).toEqual([[6, 7, 8, 9, "replay", 9]]);
  });

  it("the subscription ends with the last of them", async () => {
    const { read, runtime, server } = await ready();
    const [first, second] = [await read(), await read()];
    await stand(server, at(4));
    first.unsubscribe();
    await runtime.settle();
    expect(server.all("unsubscribe")).toHaveLength(0);
    await server.say(room1(4, 5));
    expect(second.told.filter(Array.isArray)).toEqual([[5, "live", 5]]);
    second.unsubscribe();
    await runtime.settle();
    expect(server.all("unsubscribe")).toHaveLength(1);
  });

  it("a subscription that the server has already is left, and made anew", async () => {
    const { read, server } = await ready();
    const reader = await read();
    await refuse(server, "already-subscribed", false);
    expect(server.fresh().map(({ type }) => type)).toEqual(["subscribe", "unsubscribe", "subscribe"]);
    await stand(server, at(4));
    expect(reader.state.get()).toBe("live");
  });
});

describe("own writes", () => {
  it("G4: joins and pages ask for a node that has the client's newest durable publish", async () => {
    const { room, read, reconnected, runtime, server } = await ready();
    room.publish("message", 1);
    await runtime.settle();
    await server.store(server.all("publish"), 12);
    void room.history();
    await read({ from: { last: 5 } });
    expect(server.last("history").atLeast).toEqual(at(12));
    expect(server.last("subscribe").atLeast).toEqual(at(12));
    await stand(server, at(7), 12);
    const second = await reconnected();
    // From a position of its own it goes on by that.
    expect(second.last("subscribe").atLeast).toBeUndefined();
    expect(second.last("history").atLeast).toEqual(at(12));
  });

  it.each([
    ["trimmed", at(12)],
    ["rewritten", undefined],
  ])("G4: after a reset for %s, pages ask for a node that has %j", async (reason, atLeast) => {
    const { room, read, server, runtime } = await ready();
    await read();
    await stand(server, at(4));
    room.publish("message", 1);
    await runtime.settle();
    await server.store(server.all("publish"), 12);
    await server.say({ type: "reset", channel: "room:1", position: at(9), reason });
    void room.history();
    await runtime.settle();
    expect(server.last("history").atLeast).toEqual(atLeast);
  });

  it("forgets a write that no node has any more", async () => {
    const { room, read, runtime, server } = await ready();
    room.publish("message", 1);
    await runtime.settle();
    await server.store(server.all("publish"), 12);
    await read();
    for (let refusal = 0; refusal < 3; refusal++) {
      expect(server.last("subscribe").atLeast).toEqual(at(12));
      await refuse(server, "not-yet", true, { retryAfter: 100 });
      await runtime.pass(100);
    }
    expect(server.last("subscribe").atLeast).toBeUndefined();
  });
});

describe("filters", () => {
  const even = { where: { even: true } };
  /** Events whose payload says whether their offset is even; those that are not are left out where `filtered`. */
  const range = (from: number, to: number, filtered = false) => {
    const all = events("room:1", from, to, (offset) => ({ even: offset % 2 === 0 }));
    return filtered ? { ...all, events: all.events.filter(({ offset }) => offset % 2 === 0) } : all;
  };

  it("D11: readers with the same one share it on the wire, over lost connections", async () => {
    const { read, server, reconnected } = await ready();
    const [one, two] = [await read({ filter: even }), await read({ filter: { ...even } })];
    expect(server.all("subscribe")).toMatchObject([{ filter: even }]);
    await stand(server, at(2));
    await server.say(range(2, 5, true));
    expect([one.told, two.told]).toEqual([
      ["live", [4, "live", 5]],
      ["live", [4, "live", 5]],
    ]);
    const back = await reconnected();
    expect(back.all("subscribe")).toMatchObject([{ from: at(5), filter: even }]);
  });

  it("G3, D11: a statement moves the position on, and is told to nobody", async () => {
    const { read, server } = await ready();
    const reader = await read({ filter: even });
    await stand(server, at(0), 3);
    expect(reader.state.get()).toBe("catching-up");
    await server.say({ ...range(0, 3), events: [] });
    expect([reader.told, reader.subscription.position]).toEqual([["catching-up", "live"], at(3)]);
  });

  it("G3, D11: readers with different ones share the whole channel, and each gets its part", async () => {
    const { read, server, reconnected } = await ready();
    const some = await read({ filter: even });
    await stand(server, at(2));
    await server.say(range(2, 4, true));
    const all = await read();
    expect(server.last("unsubscribe")).toMatchObject({ channel: "room:1" });
    expect(server.last("subscribe")).not.toHaveProperty("filter");
    await stand(server, at(6));
    // The first reader is two events behind: the wire is taken back for it.
    expect(server.last("subscribe")).toMatchObject({ from: at(4) });
    expect(server.last("subscribe")).not.toHaveProperty("filter");
    await stand(server, at(4), 6);
    await server.say(range(4, 7));
    expect(some.told.filter(Array.isArray)).toEqual([
      [4, "live", 4],
      [6, "replay", 7],
    ]);
    expect(all.told.filter(Array.isArray)).toEqual([[7, "live", 7]]);
    all.subscription.unsubscribe();
    const back = await reconnected();
    expect(back.all("subscribe")).toMatchObject([{ from: at(7), filter: even }]);
  });

  it("D11: one that is refused ends the readers that have it", async () => {
    const { read, server } = await ready();
    const reader = await read({ filter: even });
    await refuse(server, "invalid-filter", false);
    expect(reader.told).toEqual(["ended", ["error", "invalid-filter"]]);
  });

  it("that are longer than the server takes are refused here: sent, they would end every connection", async () => {
    const { server, read, runtime } = await ready();
    const reader = await read({ filter: { where: { text: "x".repeat(70_000) } } });
    expect(reader.told).toEqual(["ended", ["error", "bad-message"]]);
    expect(server.all("subscribe")).toEqual([]);
    expect(runtime.errors).toEqual([]);
  });
});

describe("a right that lapsed", () => {
  it("C4: what was left before the next one is left on the server that had that one already", async () => {
    let tokens = 0;
    const { client, connected } = world({ token: () => `t${++tokens}` });
    const server = await connected();
    client.authenticate();
    await server.say({ type: "pong" });
    const [left, kept] = ["1", "2"].map((id) => client.channel("room", id).subscribe({ onEvents: () => undefined }));
    await server.say({ type: "pong" });
    await server.say({ type: "error", code: "needs-auth", message: "", retryable: true });
    left?.unsubscribe();
    await server.welcome({ id: server.last("refresh").id });
    expect(server.all("unsubscribe").map(({ channel }) => channel)).toEqual(["room:1"]);
    expect(server.all("subscribe").map(({ channel }) => channel)).toEqual(["room:1", "room:2", "room:2"]);
    expect(kept?.state.get()).toBe("pending");
  });
});
