import { expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";
import { RawClient } from "./raw-client.fixture.ts";
import type { TransportEvents } from "./transport.ts";

/** A client that cannot answer: all it says is in the frame that it comes with. */
async function ask(world: Cluster, ...messages: readonly object[]) {
  const client = Object.assign(new RawClient(world.runtime), { oneWay: true, acknowledges: false });
  let events: TransportEvents | undefined;
  client.connect((transport) => {
    events = world.node().accept(transport);
    return events;
  });
  world.clients.push(client);
  client.say({ type: "hello", id: 1, token: "ada" }, ...messages);
  await world.settle();
  return { client, end: () => events?.end() };
}

const subscribe = (from?: object) => ({ type: "subscribe", id: 2, channel: "room:1", ...(from ? { from } : {}) });

it("T4 G3: ends in good order when its credit is used up, and goes on from there as often as need be", async () => {
  const world = await cluster();
  world.token("ada");
  await world.fill("room:1", 400, 0, (n) => String(n).padEnd(1_000));
  const texts: string[] = [];
  let from: object = { last: 400 };
  let times = 0;
  while (texts.length < 400) {
    const { client } = await ask(world, subscribe(from));
    texts.push(...client.texts("room:1").map((text) => String(text).trim()));
    const last = client.all("events").at(-1);
    const { epoch } = await world.node().application("acme").head("room:1");
    from = { epoch, offset: last?.to, tag: last?.tag };
    if (texts.length < 400) expect(client.end).toEqual({ code: 1000, reason: "" });
    else expect(client.end).toBeUndefined();
    times++;
  }
  expect(texts).toEqual(numbers(400));
  expect(times).toBeGreaterThan(2);
});

it("T4: is not asked for signs of life that it cannot give", async () => {
  const world = await cluster();
  world.token("ada");
  const { client } = await ask(world, subscribe());
  await world.fill("room:1", 1);
  await world.advance(120_000);
  expect([client.end, client.all("ping")]).toEqual([undefined, []]);
  await world.fill("room:1", 1);
  expect(client.texts("room:1")).toHaveLength(2);
});

it("T5: ends with its token: no fresh one can come this way", async () => {
  const world = await cluster();
  world.token("ada", { expires: world.runtime.now() + 30_000 });
  const { client } = await ask(world, subscribe());
  await world.advance(31_000);
  expect(client.told.at(-1)).toMatchObject({ type: "error", code: "needs-auth" });
  expect(client.end).toMatchObject({ code: 4004 });
  await world.fill("room:1", 1);
  expect(client.all("events")).toEqual([]);
});

it("T3: ends when all it asked is answered, however long that takes", async () => {
  const world = await cluster();
  world.token("ada");
  let release = () => {};
  world.log().held = {
    append: new Promise((resolve) => {
      release = resolve;
    }),
  };
  const publisher = new RawClient(world.runtime);
  const { client, end } = await ask(world, { ...publisher.publishing("room:1", 1), id: 2 }, { type: "ping" });
  end();
  await world.advance(5_000);
  expect([client.all("pong").length, client.end]).toEqual([1, undefined]);
  release();
  await world.settle();
  expect(client.all("published")).toHaveLength(1);
  expect(client.end).toEqual({ code: 1000, reason: "" });
});

it("T1: that does not say hello is told so when it has ended", async () => {
  const world = await cluster();
  const client = Object.assign(new RawClient(world.runtime), { oneWay: true });
  client.connect((transport) => {
    const events = world.node().accept(transport);
    events.frame("[]");
    events.end();
    return events;
  });
  await world.settle();
  expect(client.errors()).toEqual(["not-authenticated"]);
  expect(client.end).toMatchObject({ code: 4401 });
});

it("T2: what the client could not know is news to it: events, a reset, a refusal, a list; that it is subscribed is not", async () => {
  const world = await cluster();
  world.token("ada");
  await world.fill("room:1", 3);
  const head = await world.node().application("acme").head("room:1");
  const { epoch, offset, tag } = head;
  const newsOf = async (request: object, hello = {}) => {
    const client = Object.assign(new RawClient(world.runtime), { oneWay: true, acknowledges: false });
    const news: boolean[] = [];
    const read = client.flush.bind(client);
    client.flush = (delivered?: boolean) => {
      news.push(delivered === true);
      read();
    };
    client.connect((transport) => world.node().accept(transport));
    client.say({ type: "hello", id: 1, token: "ada", ...hello }, request);
    await world.settle();
    return news.includes(true);
  };
  expect(await newsOf(subscribe({ epoch, offset, tag }))).toBe(false);
  expect(await newsOf(subscribe({ epoch, offset: 9, tag }))).toBe(true);
  expect(await newsOf(subscribe({ last: 1 }))).toBe(true);
  expect(await newsOf({ ...subscribe(), channel: "absent:1" })).toBe(true);
  await Promise.all([world.node().application("acme").follow("ada", "room:2"), world.advance(200)]);
  expect(await newsOf(subscribe({ epoch, offset, tag }), { following: 1 })).toBe(false);
  expect(await newsOf(subscribe({ epoch, offset, tag }), { following: 0 })).toBe(true);
});
