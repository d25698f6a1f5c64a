import type { ServerMessage } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import type { RawClient } from "../connection/raw-client.fixture.ts";

const PERSONAL = (user: string) => [`user-urgent:${user}`, `user:${user}`, "tenant:all"];

/** The list that a client was told last. */
function list(client: RawClient): string[] | undefined {
  const told = client.told.filter((message) => message.type === "welcome" || message.type === "following");
  const last = told.at(-1);
  return (last?.type === "welcome" ? last.following : last)?.channels;
}

/** Waits for what the application does. */
async function done<T>(world: Cluster, promise: Promise<T>): Promise<T> {
  await Promise.all([world.settle(), Promise.allSettled([promise])]);
  return promise;
}

/** The version of the list that a client knows: the one that it was told last. */
function version(client: RawClient): number {
  const versions = client.told.flatMap((message) => {
    if (message.type === "welcome") return [message.following.version];
    if (message.type === "error") return message.expected ?? [];
    return "version" in message && message.type.includes("follow") ? [message.version] : [];
  });
  return versions.at(-1) ?? 0;
}

/** Asks as a client does: where the list is another by then, once more on that. */
async function change(client: RawClient, type: string, channel: string): Promise<ServerMessage | undefined> {
  const ask = () => client.ask({ type, channel, version: version(client) });
  const answer = await ask();
  return answer?.type === "error" && answer.code === "conflict" ? ask() : answer;
}

const follow = (client: RawClient, channel: string) => change(client, "follow", channel);
const unfollow = (client: RawClient, channel: string) => change(client, "unfollow", channel);

describe("personal channels", () => {
  it("U1: are told in welcome, and each connection of the user gets what is sent to them", async () => {
    const world = await cluster({ nodes: 2 });
    const clients = [await world.client("ada", 0), await world.client("ada", 1), await world.client("bob", 1)];
    for (const client of clients) {
      expect(client.all("welcome")[0]?.following.channels).toEqual(PERSONAL(client === clients[2] ? "bob" : "ada"));
      for (const channel of list(client) ?? []) await client.subscribe(channel);
    }
    const application = world.node().application("acme");
    await done(world, application.sendToUser("ada", "message", { text: "hello" }));
    await done(world, application.sendToUser("ada", "message", { text: "now" }, { urgent: true }));
    await done(world, application.sendToAll("message", { text: "all" }));
    const texts = clients.map((client) => client.all("events").flatMap(({ events }) => events.map(({ data }) => data)));
    const [hello, now, all] = ["hello", "now", "all"].map((text) => ({ text }));
    expect(texts).toEqual([[hello, now, all], [hello, now, all], [all]]);
  });

  it("U2, G10: may be read by their user without a grant, and by nobody else; no grant, no publish", async () => {
    const world = await cluster();
    world.token("ada", { grants: {} });
    world.token("eve", { grants: {}, tenant: "other" });
    const [ada, eve] = [await world.client("ada"), await world.client("eve")];
    for (const channel of PERSONAL("ada")) {
      expect(await ada.subscribe(channel)).toMatchObject({ type: "subscribed" });
      expect(await ada.publish(channel, 1)).toMatchObject({ code: "forbidden" });
    }
    for (const channel of ["user:bob", "user-urgent:bob", "tenant:everybody", "room:1"]) {
      expect(await ada.subscribe(channel)).toMatchObject({ code: "forbidden" });
      expect(await ada.ask({ type: "history", channel, limit: 1 })).toMatchObject({ code: "forbidden" });
    }
    expect(await eve.subscribe("tenant:all")).toMatchObject({ type: "subscribed" });
    expect(await eve.subscribe("user:ada")).toMatchObject({ code: "forbidden" });
    await done(world, world.node().application("acme").sendToAll("message", { text: "acme only" }));
    expect([ada.texts("tenant:all"), eve.texts("tenant:all")]).toEqual([["acme only"], []]);
  });

  it("U1: follow changes nothing, and unfollow is refused", async () => {
    const world = await cluster();
    const ada = await world.client("ada");
    expect(await follow(ada, "user:ada")).toMatchObject({ type: "followed" });
    expect(await unfollow(ada, "tenant:all")).toMatchObject({ code: "forbidden" });
    expect([list(ada), world.log().count("follow"), world.log().count("unfollow")]).toEqual([PERSONAL("ada"), 0, 0]);
  });
});

describe("a durable subscription", () => {
  it("U3: is told to each connection of the user, on every node, and to later ones", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there, bob] = [
      await world.client("ada", 0),
      await world.client("ada", 1),
      await world.client("bob", 1),
    ];
    expect(await follow(here, "room:1")).toMatchObject({ type: "followed", channel: "room:1" });
    expect(await follow(there, "room:2")).toMatchObject({ type: "followed", channel: "room:2" });
    await world.advance(100);
    const both = [...PERSONAL("ada"), "room:1", "room:2"];
    expect([list(here), list(there), list(bob)]).toEqual([both, both, PERSONAL("bob")]);
    expect(list(await world.client("ada", 0))).toEqual(both);
    expect(await unfollow(there, "room:1")).toMatchObject({ type: "unfollowed", channel: "room:1" });
    await world.advance(100);
    expect([list(here), list(there)]).toEqual([both.toSpliced(3, 1), both.toSpliced(3, 1)]);
    expect(bob.all("following")).toEqual([]);
  });

  it("U3: is changed on the version that the client knows: what was asked before, and comes late, undoes nothing", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await world.client("ada", 0), await world.client("ada", 1)];
    expect(await there.ask({ type: "follow", channel: "room:1", version: 0 })).toMatchObject({ version: 1 });
    expect(await there.ask({ type: "unfollow", channel: "room:1", version: 1 })).toMatchObject({ version: 2 });
    const late = { type: "follow", channel: "room:1", version: 0 };
    expect(await here.ask(late)).toMatchObject({ code: "conflict", retryable: true, expected: 2 });
    // What is so already is done, whatever the client knows, and undone by nothing that was asked before.
    expect(await there.ask({ ...late, type: "unfollow" })).toMatchObject({ type: "unfollowed", version: 3 });
    expect(await here.ask({ ...late, version: 2 })).toMatchObject({ code: "conflict", expected: 3 });
    await world.advance(100);
    expect([list(here), list(there)]).toEqual([PERSONAL("ada"), PERSONAL("ada")]);
    expect(await here.ask({ ...late, version: 3 })).toMatchObject({ type: "followed", version: 4 });
    await world.advance(100);
    expect(there.all("following").at(-1)).toMatchObject({ version: 4, channels: [...PERSONAL("ada"), "room:1"] });
    expect((await world.client("ada", 0)).all("welcome")[0]?.following.version).toBe(4);
  });

  it("U3, N3: takes effect within 2 s also where the bus loses everything", async () => {
    const world = await cluster({ nodes: 2 });
    const there = await world.client("ada", 1);
    world.bus.loses = () => true;
    await done(world, world.node(0).application("acme").follow("ada", "room:1"));
    await world.advance(2_000);
    expect(list(there)).toEqual([...PERSONAL("ada"), "room:1"]);
    expect(there.all("following")).toHaveLength(1);
  });

  it("U3: that the application makes is told soon, and stands in the next welcome", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    const ada = await world.client("ada");
    await done(world, application.follow("ada", "room:1"));
    await done(world, application.follow("late", "room:2"));
    await world.advance(100);
    expect(list(ada)).toEqual([...PERSONAL("ada"), "room:1"]);
    expect(list(await world.client("late"))).toEqual([...PERSONAL("late"), "room:2"]);
    expect(await done(world, application.following("late"))).toEqual([...PERSONAL("late"), "room:2"]);
    expect(await done(world, world.node().application("other").following("late"))).toEqual(PERSONAL("late"));
    await done(world, application.unfollow("ada", "room:1"));
    await world.advance(100);
    expect(list(ada)).toEqual(PERSONAL("ada"));
    const undeclared = application.follow("ada", "nothing:1");
    await expect(done(world, undeclared)).rejects.toMatchObject({ code: "forbidden" });
  });

  it("U4: needs the right to read, and is bounded", async () => {
    const world = await cluster({ limits: { following: 2 } });
    world.token("ada", { grants: { "room:*": ["read"], "club:1": ["publish"] } });
    const ada = await world.client("ada");
    expect(await follow(ada, "club:1")).toMatchObject({ type: "error", code: "forbidden", channel: "club:1" });
    expect(await follow(ada, "user:bob")).toMatchObject({ code: "forbidden" });
    expect(await follow(ada, "nothing:1")).toMatchObject({ code: "forbidden" });
    for (const channel of ["room:1", "room:2", "room:1"]) expect(await follow(ada, channel)).toMatchObject({ channel });
    expect(await follow(ada, "room:3")).toMatchObject({ code: "too-many-following", retryable: false });
    const more = world.node().application("acme").follow("ada", "room:4");
    await expect(done(world, more)).rejects.toMatchObject({ code: "too-many-following" });
    await world.advance(100);
    expect(list(ada)).toEqual([...PERSONAL("ada"), "room:1", "room:2"]);
  });

  it("G11: counts as a publish against the rates, and a list that changes often is told seldom", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 20 } });
    const ada = await world.client("ada");
    for (let at = 0; at < 30; at++) await (at % 2 ? unfollow : follow)(ada, "room:1");
    expect([ada.all("followed").length, ada.all("unfollowed").length]).toEqual([10, 10]);
    expect(ada.all("error")[0]).toMatchObject({ code: "rate-limited", retryable: true });
    expect(ada.all("error")[0]?.retryAfter).toBeGreaterThan(0);
    expect(ada.all("following").length).toBeLessThan(3);
    await world.advance(100);
    expect(list(ada)).toEqual(PERSONAL("ada"));
    expect(ada.all("following").length).toBeLessThan(4);
  });

  it("G10: is its tenant's: the same user of another one has none of it", async () => {
    const world = await cluster();
    world.token("eve", { user: "ada", tenant: "other" });
    const [ada, eve] = [await world.client("ada"), await world.client("eve")];
    await follow(ada, "room:1");
    await world.advance(2_000);
    expect(eve.all("following")).toEqual([]);
    expect(list(await world.client("eve"))).toEqual(PERSONAL("ada"));
  });

  it("U3: a change while the list is being read for a welcome is in the welcome, or told after it", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await done(world, application.follow("ada", "room:1"));
    await world.advance(200);
    const log = world.log();
    const { promise, resolve } = Promise.withResolvers<void>();
    log.late = { following: promise };
    const ada = world.stranger();
    ada.say({ type: "hello", id: 1, token: world.token("ada") });
    await world.settle();
    log.late = {};
    await done(world, application.follow("ada", "room:2"));
    expect(ada.told).toEqual([]);
    resolve();
    await world.settle();
    await world.advance(100);
    expect(ada.all("welcome")).toHaveLength(1);
    expect(list(ada)).toEqual([...PERSONAL("ada"), "room:1", "room:2"]);
  });

  it("G10: a token that is revoked while the list is being read lets nobody in", async () => {
    const world = await cluster();
    const application = world.node().application("acme");
    await done(world, application.follow("ada", "room:1"));
    const log = world.log();
    const { promise, resolve } = Promise.withResolvers<void>();
    log.held = { following: promise };
    const ada = world.stranger();
    ada.say({ type: "hello", id: 1, token: world.token("ada") });
    await world.settle();
    await done(
      world,
      world.node().revoke({ kind: "user", tenant: "acme", user: "ada", before: world.runtime.now() + 5_000 }),
    );
    log.held = {};
    resolve();
    await world.settle();
    expect([ada.all("welcome"), ada.errors()]).toEqual([[], ["token-revoked"]]);
  });

  it("U3: who cannot be told the list is turned away to come back; a change that cannot be stored is refused", async () => {
    const world = await cluster();
    await done(world, world.node().application("acme").follow("ada", "room:1"));
    const ada = await world.client("ada");
    world.log().failing = { following: "before", follow: "before", unfollow: "before" };
    const turnedAway = world.stranger();
    await turnedAway.hello("ada");
    expect([turnedAway.errors(), turnedAway.end]).toMatchObject([["storage-unavailable"], { code: 4003 }]);
    expect(await follow(ada, "room:2")).toMatchObject({ code: "storage-unavailable", retryable: true });
    expect(await unfollow(ada, "room:1")).toMatchObject({ code: "storage-unavailable", retryable: true });
    world.log().failing = { followingChanges: "before", follow: "twice" };
    expect(await follow(ada, "room:2")).toMatchObject({ type: "followed" });
    expect(ada.all("following")).toEqual([]);
    world.log().failing = { following: "before" };
    await world.advance(1_500);
    expect(ada.all("following")).toEqual([]);
    world.log().failing = {};
    await world.advance(1_500);
    expect(list(ada)).toEqual([...PERSONAL("ada"), "room:1", "room:2"]);
  });

  it("U3: many changes at once are learnt in pages", async () => {
    const world = await cluster();
    const last = await world.client("u600");
    for (let at = 1; at <= 600; at++)
      world.store.following.follow({ tenant: "acme", user: `u${at}` }, "room:1", 0, 9, at);
    await world.advance(1_700);
    expect(list(last)).toEqual([...PERSONAL("u600"), "room:1"]);
  });

  it("U3: a store that goes back to a past is noticed", async () => {
    const world = await cluster();
    const ada = await world.client("ada");
    await follow(ada, "room:1");
    const past = world.store.snapshot();
    await follow(ada, "room:2");
    await follow(await world.client("bob"), "room:2");
    world.store.restore(past);
    await world.advance(1_500);
    expect(list(ada)).toEqual([...PERSONAL("ada"), "room:1"]);
    await follow(ada, "room:3");
    await world.advance(100);
    expect(list(ada)).toEqual([...PERSONAL("ada"), "room:1", "room:3"]);
  });

  it("G11: lists are read for those who are connected, and for nobody else", async () => {
    const world = await cluster();
    const ada = await world.client("ada");
    ada.leave();
    await world.settle();
    const log = world.log();
    await done(world, world.node().application("acme").follow("ada", "room:1"));
    await world.advance(5_000);
    // The change itself looks at the list.
    expect(log.count("following")).toBe(1);
    const { promise, resolve } = Promise.withResolvers<void>();
    log.held = { following: promise };
    const bob = world.stranger();
    bob.say({ type: "hello", id: 1, token: world.token("bob") });
    await world.settle();
    bob.leave();
    await world.settle();
    resolve();
    await done(world, world.node().application("acme").follow("bob", "room:1"));
    await world.advance(5_000);
    expect([log.count("following"), bob.told]).toEqual([3, []]);
  });

  it("G11: who finds no place is told no list", async () => {
    const world = await cluster({ limits: { connectionsPerUser: 1 } });
    const application = world.node().application("acme");
    await done(world, application.follow("bob", "room:1"));
    const first = await world.client("ada");
    const second = world.stranger();
    await second.hello("ada");
    expect(second.errors()).toEqual(["too-many-connections"]);
    first.leave();
    await world.settle();
    const reads = world.log().count("following");
    await done(world, application.follow("ada", "room:1"));
    expect(world.log().count("following")).toBe(reads + 1);
  });
});

describe("sending", () => {
  it("G2: to several channels takes effect once in each, also where the log loses its answers", async () => {
    const world = await cluster();
    const ada = await world.client("ada");
    for (const channel of ["room:1", "room:2"]) await ada.subscribe(channel);
    world.log().failing = { append: "twice" };
    const application = world.node().application("acme");
    const sent = await done(world, application.sendTo(["room:1", "room:2"], "message", { text: "once" }));
    expect(sent).toMatchObject([{ offset: 1 }, { offset: 1 }]);
    expect([ada.texts("room:1"), ada.texts("room:2")]).toEqual([["once"], ["once"]]);
    expect(await done(world, application.sendTo("room:1", "message", { text: "more" }))).toMatchObject([{ offset: 2 }]);
    await expect(done(world, application.sendTo(["nothing:1"], "message", {}))).rejects.toMatchObject({
      code: "forbidden",
    });
  });
});
