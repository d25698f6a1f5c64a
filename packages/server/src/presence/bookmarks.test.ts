import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import { RawClient } from "../connection/raw-client.fixture.ts";
import type { TransportEvents } from "../connection/transport.ts";
import { enter, HALL, latest, leave, seen, signal, watch } from "./hall.fixture.ts";

/** One answer over HTTP to ada, who watches; she hears of it whether there was news. */
async function poll(world: Cluster, after?: string, { node = 0, more = {} } = {}) {
  const client = Object.assign(new RawClient(world.runtime), { oneWay: true, acknowledges: false });
  let events: TransportEvents | undefined;
  let isNews = false;
  const read = client.flush.bind(client);
  client.flush = (delivered?: boolean) => {
    isNews ||= delivered === true;
    read();
  };
  client.connect((transport) => {
    events = world.node(node).accept(transport);
    return events;
  });
  world.clients.push(client);
  const request = { type: "watch", id: 2, channel: HALL, ...(after === undefined ? {} : { after }), ...more };
  client.say({ type: "hello", id: 1, token: world.token("ada") }, request);
  await world.advance(100);
  return {
    client,
    told: () => client.told.map(({ type }) => type).filter((type) => type === "members" || type === "signals"),
    isNews: () => isNews,
    /** It is over: where the client stands. */
    async end(): Promise<string> {
      events?.beforeEnd();
      client.leave();
      await world.settle();
      return client.all("bookmark").at(-1)?.bookmark ?? "";
    },
  };
}

describe("a bookmark", () => {
  it("R14: who comes with what is newest is told nothing, at any node, until there is something", async () => {
    const world = await cluster({ nodes: 2 });
    const bob = await world.guest("bob");
    await enter(bob);
    signal(bob, { cursor: { x: 1 } });
    await world.advance(100);
    const first = await poll(world);
    expect(first.told()).toEqual(["members", "signals"]);
    const bookmark = await first.end();
    for (const node of [0, 1]) {
      const next = await poll(world, bookmark, { node });
      expect([next.told(), next.isNews()]).toEqual([[], false]);
      expect(await next.end()).toBe(bookmark);
    }
    const next = await poll(world, bookmark, { node: 1 });
    await enter(bob, "b");
    signal(bob, { cursor: { x: 2 } });
    await world.advance(100);
    expect([next.told(), next.isNews()]).toEqual([["members", "signals"], true]);
    expect(seen(next.client)).toEqual({ bob: "active b" });
    expect(await next.end()).not.toBe(bookmark);
  });

  it("R14: what came, changed and went between two answers is told, by difference where the first one was given", async () => {
    const world = await cluster({ nodes: 2 });
    const [bob, cid, dan] = [await world.guest("bob"), await world.guest("cid"), await world.guest("dan")];
    for (const client of [bob, cid]) await enter(client);
    signal(bob, { cursor: { x: 1 } });
    await world.advance(100);
    const bookmark = await (await poll(world)).end();
    await leave(bob);
    await enter(cid, "b");
    await enter(dan, "c");
    signal(dan, { cursor: { x: 2 } });
    await world.advance(100);
    const here = await poll(world, bookmark);
    expect(here.client.all("members")).toMatchObject([{ gone: [world.device("bob")], count: 2 }]);
    expect(here.client.all("members")[0]?.full).toBeUndefined();
    expect(here.client.all("signals")).toMatchObject([
      { signals: { cursor: { [world.device("bob")]: null, [world.device("dan")]: { x: 2 } } } },
    ]);
    const elsewhere = await poll(world, bookmark, { node: 1 });
    expect(elsewhere.client.all("members")).toMatchObject([{ full: true }]);
    expect(seen(elsewhere.client)).toEqual({ cid: "active b", dan: "active c" });
    expect(latest(elsewhere.client, "cursor")).toEqual({ [world.device("dan")]: { x: 2 } });
    expect(await elsewhere.end()).toBe(await here.end());
  });

  it("R14: one that no node knows is worth nothing, and one of a part holds for that part", async () => {
    const world = await cluster();
    const bob = await world.guest("bob");
    await enter(bob);
    signal(bob, { cursor: { x: 1 } });
    await world.advance(100);
    const [members = ""] = (await (await poll(world)).end()).split(".");
    expect((await poll(world, `${"x".repeat(16)}.${"y".repeat(16)}`)).told()).toEqual(["members", "signals"]);
    expect((await poll(world, `${members}.`)).told()).toEqual(["signals"]);
    expect(await (await poll(world, undefined, { more: { signals: false } })).end()).toBe(`${members}.`);
  });

  it("R14: what was changed and changed back is no news to one who waits", async () => {
    const world = await cluster();
    const [bob, eve] = [await world.guest("bob"), await world.guest("eve")];
    await enter(bob);
    await watch(eve);
    await world.advance(100);
    const waits = await poll(world, await (await poll(world)).end());
    await enter(bob);
    await world.advance(100);
    expect([waits.told(), waits.isNews()]).toEqual([[], false]);
  });

  it("R14: of signals that a node has missed it tells at once while they are fresh, and then with what comes next", async () => {
    const world = await cluster({ nodes: 2 });
    const bob = await world.guest("bob");
    await enter(bob);
    signal(bob, { cursor: { x: 1 } });
    await world.advance(100);
    world.bus.loses = ({ message }) => message.kind === "signals";
    signal(bob, { cursor: { x: 2 } });
    await world.advance(100);
    const bookmark = await (await poll(world)).end();
    expect((await poll(world, bookmark, { node: 1 })).isNews()).toBe(true);
    await world.advance(11_000);
    const waits = await poll(world, bookmark, { node: 1 });
    expect([waits.told(), waits.isNews()]).toEqual([["signals"], false]);
  });

  it("R14: is given on connections that end by themselves only", async () => {
    const world = await cluster();
    const bob = await world.guest("bob");
    await watch(bob, { after: "." });
    await world.advance(100);
    bob.leave();
    await world.settle();
    expect([bob.all("members").length, bob.all("bookmark")]).toEqual([1, []]);
  });
});
