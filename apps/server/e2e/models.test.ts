import { channel, defineApp } from "@tandem/app";
import type { Client, ClientOptions, ModelState } from "@tandem/client";
import { createClient, model } from "@tandem/client";
import { msgpackCodec } from "@tandem/client/msgpack";
import { counter, ordered, records } from "@tandem/model";
import { systemRuntime } from "@tandem/runtime";
import { createMemoryLog, createServer, mintToken } from "@tandem/server";
import * as v from "valibot";
import { afterEach, describe, expect, it } from "vitest";
import { Middlebox } from "./middlebox.ts";

const SECRET = "a secret of more than thirty-two letters";

const board = records({
  collections: {
    cards: { schema: v.object({ title: v.string(), text: v.string() }), policies: { title: "refuse" }, order: true },
  },
});
const count = counter({ least: 0, most: 1_000 });

const app = defineApp({
  channels: { room: channel({ events: { said: v.object({ n: v.number() }) }, models: { board, count } }) },
});

const ROADS: Readonly<Record<string, Partial<ClientOptions>>> = {
  "a WebSocket, JSON": { transports: ["websocket"] },
  "a WebSocket, MessagePack": { transports: ["websocket"], codec: msgpackCodec },
  "server-sent events and POST": { transports: ["sse"] },
  "long polls and POST": { transports: ["poll"] },
};

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000, interval: 10 });

type RoomClient = Client<typeof app>;

async function stage(road: Partial<ClientOptions>) {
  const log = createMemoryLog();
  const server = await createServer(app, { log, secret: SECRET, port: 0, runtime: systemRuntime() });
  ended.push(() => server.close());
  const proxy = await Middlebox.start([(await server.listen()).port]);
  ended.push(() => proxy.close());
  return {
    proxy,
    application: server.application(),
    join(user: string, grants: object = { "room:*": ["read", "publish", "write"] }): RoomClient {
      const token = () => mintToken({ secret: SECRET, user, grants: grants as never });
      const client = createClient<typeof app>({ url: proxy.url, token, ...road });
      ended.push(() => client.close());
      return client;
    },
  };
}

const boardOf = (client: RoomClient, id = "1") => model(client.channel("room", id), "board", board);
const countOf = (client: RoomClient, id = "1") => model(client.channel("room", id), "count", count);

/** What a state holds, once it is loaded. */
function stateOf<S>(use: { readonly state: { get(): ModelState<S> } }): S | undefined {
  const state = use.state.get();
  return state.kind === "ready" ? state.value : undefined;
}

const titles = (use: ReturnType<typeof boardOf>) => {
  const value = stateOf(use);
  return value && ordered(value.cards).map((card) => card.value.title);
};

describe.each(Object.entries(ROADS))("models over %s", (_, road) => {
  it("M7, M16: a command is shown at once, confirmed, and seen by others as the server has it", async () => {
    const { join, application } = await stage(road);
    const client = join("ada");
    const [ada, bea] = [boardOf(client), boardOf(join("bea"))];
    await soon(() => [titles(ada), titles(bea)]).toEqual([[], []]);
    expect(client.status.get()).toMatchObject({ kind: "connected", transport: road.transports?.[0] });
    const sent = ada.send("create", { collection: "cards", id: "a", value: { title: "é😀", text: "" } });
    expect(titles(ada)).toEqual(["é😀"]);
    expect(ada.pending.get()).toBe(1);
    expect(await sent.settled).toMatchObject({ kind: "confirmed", position: { offset: 1 } });
    await soon(() => titles(bea)).toEqual(["é😀"]);
    expect(ada.pending.get()).toBe(0);
    // Ids and times that the decision gave are the same everywhere.
    bea.send("create", { collection: "cards", value: { title: "two", text: "" } });
    await soon(() => titles(ada)).toEqual(["é😀", "two"]);
    const { state } = await application.model("room:1", "board").state();
    await soon(() => [...(stateOf(ada)?.cards.keys() ?? [])]).toEqual([...(state as never as BoardState).cards.keys()]);
  });

  it("M8: a refusal comes with its reason, and what was shown is taken back", async () => {
    const { join, application } = await stage(road);
    const client = join("ada");
    const [use, cards] = [countOf(client), boardOf(client)];
    await soon(() => stateOf(use)?.value).toBe(0);
    await application.model("room:1", "count").command("add", { by: 999 });
    const outcome = await use.send("add", { by: 2 }).settled;
    const reason = { code: "out-of-bounds", value: 999, least: 0, most: 1_000 };
    expect(outcome).toMatchObject({ kind: "rejected", reason, error: { code: "rejected", retryable: false } });
    await soon(() => stateOf(use)?.value).toBe(999);
    const wrong = await use.send("add", { by: 0.5 }).settled;
    expect(wrong).toMatchObject({ kind: "rejected", reason: undefined, error: { code: "invalid-data" } });
    expect(await use.send("nothing" as never, {} as never).settled).toMatchObject({
      error: { code: "invalid-command" },
    });
    await soon(() => titles(cards)).toEqual([]);
    const value = { title: "long", text: "x".repeat(40_000) };
    const long = await cards.send("create", { collection: "cards", value }).settled;
    expect(long).toMatchObject({ kind: "rejected", error: { code: "event-too-large" } });
    await soon(() => titles(cards)).toEqual([]);
    // What comes after refusals is not held up by them.
    expect(await use.send("add", { by: 1 }).settled).toMatchObject({ kind: "confirmed" });
  });

  it("a conflict shows both, and can be settled for mine", async () => {
    const { join } = await stage(road);
    const [ada, bea] = [boardOf(join("ada")), boardOf(join("bea"))];
    await ada.send("create", { collection: "cards", id: "a", value: { title: "Bread", text: "" } }).settled;
    await soon(() => titles(bea)).toEqual(["Bread"]);
    const change = (title: string) =>
      ({ collection: "cards", id: "a", fields: { title }, base: { title: "Bread" } }) as const;
    await ada.send("patch", change("Brown bread")).settled;
    const refused = await bea.send("patch", change("Rolls")).settled;
    expect(refused).toMatchObject({
      kind: "rejected",
      reason: { code: "conflict", mine: "Rolls", theirs: "Brown bread" },
    });
    await soon(() => bea.conflicts.get().map(({ mine, theirs, by }) => [mine, theirs, by])).toEqual([
      ["Rolls", "Brown bread", "ada"],
    ]);
    await soon(() => titles(bea)).toEqual(["Brown bread"]);
    await bea.conflicts.get()[0]?.restore?.().settled;
    await soon(() => titles(ada)).toEqual(["Rolls"]);
  });

  it("undo and redo are commands; an undo of what another has changed since is refused", async () => {
    const { join } = await stage(road);
    const [ada, bea] = [boardOf(join("ada")), boardOf(join("bea"))];
    await soon(() => titles(ada)).toEqual([]);
    await ada.send("create", { collection: "cards", id: "a", value: { title: "one", text: "" } }).settled;
    await ada.send("patch", { collection: "cards", id: "a", fields: { title: "two" }, base: { title: "one" } }).settled;
    await ada.undo()?.settled;
    expect(titles(ada)).toEqual(["one"]);
    await ada.redo()?.settled;
    await soon(() => titles(bea)).toEqual(["two"]);
    await bea.send("patch", { collection: "cards", id: "a", fields: { title: "three" }, base: { title: "two" } })
      .settled;
    await soon(() => titles(ada)).toEqual(["three"]);
    expect(await ada.undo()?.settled).toMatchObject({ kind: "rejected", reason: { code: "conflict" } });
    expect(titles(ada)).toEqual(["three"]);
  });

  it("M12: a large state comes in pieces, all of one position, while it goes on changing; an older one, too", async () => {
    const { join, application } = await stage(road);
    const desk = application.model("room:1", "board");
    for (let at = 0; at < 150; at++) {
      const value = { title: `${at}`, text: "é".repeat(2_000) };
      await desk.command("create", { collection: "cards", id: `card-${at}`, value });
    }
    const use = boardOf(join("ada"));
    let pieces = 0;
    let changes = 0;
    use.state.subscribe(() => {
      const state = use.state.get();
      if (state.kind !== "loading") return;
      pieces = Math.max(pieces, state.pieces);
      // While it is on its way others go on.
      if (changes++ < 5) void desk.command("remove", { collection: "cards", id: `card-${changes}` });
    });
    await soon(() => use.state.get().kind).toBe("ready");
    expect(pieces).toBeGreaterThan(1);
    await soon(() => stateOf(use)?.cards.size).toBe(150 - Math.min(5, changes));
    const { state } = await desk.state();
    expect(titles(use)).toEqual(ordered((state as never as BoardState).cards).map((card) => card.value.title));
    const { state: whole, position } = await desk.state();
    await desk.command("create", { collection: "cards", value: { title: "new", text: "" } });
    await soon(() => titles(use)).toContain("new");
    const before = await use.at(position);
    expect(before.cards.size).toBe((whole as never as BoardState).cards.size);
    const found = await use.changes({ limit: 10 });
    expect(found.changes).toHaveLength(10);
  });

  it("G5: what was done offline is decided in order, with the publishes between, each once", async () => {
    const { join, application } = await stage(road);
    const client = join("ada");
    const [use, cards] = [countOf(client), boardOf(client)];
    await soon(() => [stateOf(use)?.value, titles(cards)]).toEqual([0, []]);
    client.disconnect();
    const room = client.channel("room", "1");
    const settled: Promise<{ readonly kind: string }>[] = [];
    for (let at = 0; at < 20; at++) {
      settled.push(use.send("add", { by: 1 }).settled);
      settled.push(
        cards.send("create", { collection: "cards", id: `c${at}`, value: { title: `${at}`, text: "" } }).settled,
      );
      void room.publish("said", { n: at });
    }
    const refused = use.send("add", { by: -100 });
    settled.push(use.send("add", { by: 1 }).settled);
    expect([stateOf(use)?.value, titles(cards)?.length]).toEqual([21, 20]);
    client.connect();
    expect(new Set((await Promise.all(settled)).map(({ kind }) => kind))).toEqual(new Set(["confirmed"]));
    expect(await refused.settled).toMatchObject({ kind: "rejected", reason: { code: "out-of-bounds" } });
    const { events } = await application.history("room:1", { limit: 100 });
    const round = ["count.added", "board.created", "said"];
    expect(events.map(({ type }) => type)).toEqual([...Array.from({ length: 20 }, () => round).flat(), "count.added"]);
    await soon(() => stateOf(use)?.value).toBe(21);
  });

  it("G1, G2, M16: while connections are cut, each command takes effect once and nothing shown is shown twice", async () => {
    const { join, proxy } = await stage(road);
    const [ada, bea] = [countOf(join("ada")), countOf(join("bea"))];
    await soon(() => [stateOf(ada)?.value, stateOf(bea)?.value]).toEqual([0, 0]);
    const shown: number[] = [];
    bea.state.subscribe(() => {
      const value = stateOf(bea)?.value;
      if (value !== undefined) shown.push(value);
    });
    const own: number[] = [];
    ada.state.subscribe(() => {
      const value = stateOf(ada)?.value;
      if (value !== undefined) own.push(value);
    });
    const sent = [];
    for (let at = 0; at < 100; at++) {
      sent.push(ada.send("add", { by: 1 }).settled);
      if (at % 25 === 12) proxy.kill();
      await new Promise((later) => setTimeout(later, 5));
    }
    const outcomes = await Promise.all(sent);
    expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["confirmed"]));
    await soon(() => [stateOf(ada)?.value, stateOf(bea)?.value]).toEqual([100, 100]);
    // Neither ever saw it fall.
    for (const seen of [shown, own]) expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(Math.max(...own)).toBe(100);
  });

  it("A3: who may not read has no state, and who may only read changes nothing", async () => {
    const { join } = await stage(road);
    const none = countOf(join("eve", { "room:2": ["read"] }));
    const reader = countOf(join("rea", { "room:1": ["read"] }));
    await soon(() => none.state.get()).toMatchObject({ kind: "failed", error: { code: "forbidden" } });
    await soon(() => stateOf(reader)?.value).toBe(0);
    expect(await reader.send("add", {}).settled).toMatchObject({ kind: "rejected", error: { code: "forbidden" } });
    await soon(() => stateOf(reader)?.value).toBe(0);
  });
});

type BoardState = ReturnType<typeof board.initial>;
