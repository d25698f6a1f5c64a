import { errorOf } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import { describe, expect, it, vi } from "vitest";
import { cluster } from "../cluster.fixture.ts";
import type { RawClient } from "../connection/raw-client.fixture.ts";
import { count, enter, HALL, latest, leave, nextSeq, seen, signal, story, watch } from "./hall.fixture.ts";
import { Presence } from "./presence.ts";

/** What those say of themselves of whom this client was told. */
function seenTexts(client: RawClient): unknown[] {
  return client.all("members").flatMap(({ members }) => members.map(({ state }) => (state as { text: string }).text));
}

describe("presence", () => {
  it("R1: tells who is there, who comes, changes and goes", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    expect(await enter(ada)).toMatchObject({ type: "entered" });
    expect(await watch(ada)).toMatchObject({ type: "watching" });
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a" });
    await enter(bob, "b");
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a", bob: "active b" });
    expect(ada.all("members").at(-1)).toMatchObject({ count: 2, signalMs: 50 });
    await enter(bob, "c", { activity: "idle" });
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a", bob: "idle c" });
    expect(await leave(bob)).toMatchObject({ type: "left" });
    await world.advance(100);
    expect(seen(ada)).toEqual({ ada: "active a" });
    expect(ada.all("members").at(-1)).toMatchObject({ count: 1, gone: [world.device("bob")] });
  });

  it("R1: counts a user once, however many devices", async () => {
    const world = await cluster();
    const [desk, phone, bob] = [
      await world.guest("ada"),
      await world.guest("ada", { name: "phone" }),
      await world.guest("bob"),
    ];
    for (const client of [desk, phone, bob]) await enter(client);
    await watch(bob);
    await world.advance(100);
    expect(bob.all("members").at(-1)).toMatchObject({ count: 2, members: [{}, {}, {}] });
    await leave(phone);
    await world.advance(100);
    expect(count(bob)).toBe(2);
  });

  it("R1: speaks MessagePack as well", async () => {
    const world = await cluster();
    const bob = await world.client("bob", 0, msgpackCodec);
    const ada = await world.guest("ada");
    await enter(ada);
    await watch(bob);
    signal(ada, { cursor: { x: 1 } });
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active a" });
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 1 } });
  });

  it("R2: of what one instance says the newest counts, whichever came last", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    await enter(ada, "new", { seq: 1_000_002 });
    await enter(ada, "old", { seq: 1_000_001 });
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active new" });
    await ada.ask({ type: "leave", channel: HALL, seq: 1_000_001 });
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active new" });
    await ada.ask({ type: "leave", channel: HALL, seq: 1_000_004 });
    await enter(ada, "late", { seq: 1_000_003 });
    await world.advance(100);
    expect(seen(bob)).toEqual({});
  });

  it("R2 R3: who said goodbye before saying last that it is there leaves with its connection all the same", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    await enter(ada, "new", { seq: 1_000_002 });
    await ada.ask({ type: "leave", channel: HALL, seq: 1_000_001 });
    ada.destroy();
    await world.advance(11_000);
    expect(seen(bob)).toEqual({});
  });

  it("R3: a lost connection is shown after 2 s, and the device has left after 10 s", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob);
    await world.advance(100);
    ada.destroy();
    await world.advance(1_900);
    expect(seen(bob)).toEqual({ ada: "active a" });
    await world.advance(500);
    expect(seen(bob)).toEqual({ ada: "reconnecting a" });
    await world.advance(7_400);
    expect(seen(bob)).toEqual({ ada: "reconnecting a" });
    await world.advance(700);
    expect(seen(bob)).toEqual({});
    expect(story(bob, world.device("ada"))).toEqual(["active", "reconnecting", "gone"]);
  });

  it("R3: a goodbye is seen at once, by `leave` or by close code 1000", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob);
    await world.advance(100);
    ada.leave();
    await world.advance(100);
    expect(story(bob, world.device("ada"))).toEqual(["active", "gone"]);
  });

  it.each([0, 1])("R4: who comes back in time, to node %i, has not been away", async (node) => {
    const world = await cluster({ nodes: 2 });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob);
    await world.advance(100);
    ada.destroy();
    await world.advance(1_500);
    const again = await world.guest("ada", { node, nth: 2 });
    await enter(again);
    await world.advance(20_000);
    expect(story(bob, world.device("ada"))).not.toContain("gone");
    expect(story(bob, world.device("ada"))).not.toContain("reconnecting");
    expect(seen(bob)).toEqual({ ada: "active a" });
  });

  it("R2 R4: a goodbye that an older connection says at the same seq, and that comes late, takes nothing away", async () => {
    const world = await cluster();
    const bob = await world.guest("bob");
    await watch(bob);
    const old = await world.guest("ada", { side: true });
    await enter(await world.guest("ada", { nth: 2 }), "a", { seq: 11 });
    await old.ask({ type: "leave", channel: HALL, seq: 11 });
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active a" });
    await old.ask({ type: "leave", channel: HALL, seq: 12 });
    await world.advance(100);
    expect(seen(bob)).toEqual({});
  });

  it("R4: an older connection that ends late takes nothing from the newer one", async () => {
    const world = await cluster({ nodes: 2 });
    const [old, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    await enter(old);
    const fresh = await world.guest("ada", { node: 1, nth: 2 });
    await enter(fresh, "b");
    await world.advance(100);
    old.leave();
    await world.advance(20_000);
    expect(seen(bob)).toEqual({ ada: "active b" });
    expect(story(bob, world.device("ada"))).not.toContain("gone");
  });

  it("R5: a place belongs to who holds its secret: the same name and connection of another user are another device", async () => {
    const world = await cluster();
    const [ada, eve, bob] = [
      await world.guest("ada"),
      await world.guest("eve", { name: "ada", nth: 9 }),
      await world.guest("bob"),
    ];
    await watch(bob);
    await enter(ada);
    await enter(eve, "eve");
    await leave(eve);
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active a" });
  });

  it("R5 G10: rights are asked for each: to enter, to signal, to watch", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    world.rules.hall = ["read"];
    expect(await enter(ada)).toMatchObject({ code: "forbidden" });
    world.rules.hall = ["presence"];
    expect(await watch(bob)).toMatchObject({ code: "forbidden" });
    expect(await bob.ask({ type: "roster", channel: HALL, limit: 5 })).toMatchObject({ code: "forbidden" });
    await world.node().invalidate();
    await world.settle();
    await enter(ada);
    signal(ada, { cursor: { x: 1 } });
    await world.settle();
    expect(ada.all("unsignalled")).toMatchObject([{ code: "forbidden", channel: HALL }]);
  });

  it("R5 G10: rights that are taken back end a watch and a place", async () => {
    const world = await cluster();
    const [ada, bob, cleo] = [await world.guest("ada"), await world.guest("bob"), await world.guest("cleo")];
    await enter(ada);
    await watch(ada);
    await watch(bob);
    await watch(cleo);
    await world.advance(100);
    world.rules.hall = ["signal"];
    await world.node().invalidate({ tenant: "acme", user: "ada" });
    await world.advance(100);
    expect(ada.all("unwatched")).toMatchObject([{ channel: HALL }]);
    expect(seen(bob)).toEqual({});
    signal(ada, { cursor: { x: 1 } });
    await world.settle();
    expect(ada.all("unsignalled")).toMatchObject([{ code: "not-a-member" }]);
  });

  it("R5 G10: a right that goes while the schema of a state takes its time lets nobody in", async () => {
    const world = await cluster();
    const ada = await world.guest("ada");
    const { promise, resolve } = Promise.withResolvers<void>();
    world.rules.pause = () => promise;
    const asked = ada.nextId();
    ada.say({ type: "enter", id: asked, channel: "salon:1", seq: nextSeq(), state: { text: "here" } });
    await world.settle();
    world.rules.club = [];
    await world.node().invalidate();
    resolve();
    await world.settle();
    expect(ada.answer(asked)).toMatchObject({ code: "forbidden" });
    world.rules.club = undefined;
    await world.node().invalidate();
    expect(await ada.ask({ type: "roster", channel: "salon:1", limit: 5 })).toMatchObject({ members: [] });
  });

  it("A5: nothing is told to a watch whose right is being asked for anew; then what is newest, or that it has ended", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    const entering = (page: string) => ({ type: "enter", channel: "salon:1", seq: nextSeq(), state: { text: page } });
    await ada.ask(entering("one"));
    await bob.ask({ type: "watch", channel: "salon:1" });
    await world.advance(100);
    const asking = async () => {
      const access = Promise.withResolvers<readonly ("read" | "publish")[]>();
      world.rules.club = access.promise;
      await world.node().invalidate({ tenant: "acme", user: "bob" });
      bob.told.length = 0;
      await ada.ask(entering("two"));
      ada.say({ type: "signal", channel: "salon:1", seq: nextSeq(), signals: { typing: true } });
      await world.advance(200);
      expect(bob.told).toEqual([]);
      return access;
    };
    (await asking()).resolve(["read"]);
    await world.advance(100);
    expect(seenTexts(bob)).toEqual(["two"]);
    expect(bob.all("signals")).toMatchObject([{ signals: { typing: { [world.device("ada")]: true } } }]);
    (await asking()).resolve([]);
    await world.advance(200);
    expect(bob.told).toMatchObject([{ type: "unwatched", channel: "salon:1" }]);
  });

  it("G11: a watch that finds no room gives its place back", async () => {
    const world = await cluster({ limits: { watches: 1 } });
    const ada = await world.guest("ada");
    vi.spyOn(Presence.prototype, "room").mockImplementationOnce(() => {
      throw errorOf("overloaded", { retryAfter: 1_000 });
    });
    expect(await watch(ada)).toMatchObject({ code: "overloaded" });
    expect(await watch(ada)).toMatchObject({ type: "watching" });
  });

  it("R5: a channel type that declares neither presence nor signals has none, and its absence is told as any other", async () => {
    const world = await cluster();
    const ada = await world.guest("ada");
    for (const request of [
      { type: "enter", channel: "room:1", seq: 1 },
      { type: "watch", channel: "room:1" },
      { type: "roster", channel: "room:1", limit: 1 },
    ]) {
      expect(await ada.ask(request)).toMatchObject({ code: "forbidden" });
    }
  });

  it("C4 R3: a place is lost with the token, and taken up again with a fresh one on the same connection", async () => {
    const world = await cluster();
    world.token("ada", { expires: world.runtime.now() + 5_000 });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada, "a", { seq: 5_000_001 });
    await watch(bob);
    await world.advance(100);
    world.token("fresh", { user: "ada" });
    await world.advance(8_500);
    expect(seen(bob)).toEqual({ ada: "reconnecting a" });
    await ada.ask({ type: "refresh", token: "fresh" });
    // The client may say the same again.
    expect(await enter(ada, "a", { seq: 5_000_001 })).toMatchObject({ type: "entered" });
    await world.advance(20_000);
    expect(seen(bob)).toEqual({ ada: "active a" });
  });

  it("R5: what is said is held to schema and bounds", async () => {
    const world = await cluster({ limits: { presenceBytes: 40, watches: 2 } });
    const ada = await world.guest("ada");
    expect(await ada.ask({ type: "enter", channel: HALL, seq: nextSeq(), state: { page: 1 } })).toMatchObject({
      code: "invalid-data",
      issues: [{ path: "page" }],
    });
    expect(await enter(ada, "x".repeat(50))).toMatchObject({ code: "state-too-large" });
    expect(await (await world.client("bob")).ask({ type: "enter", channel: HALL, seq: 1 })).toMatchObject({
      code: "no-instance",
    });
    await watch(ada);
    expect(await watch(ada)).toMatchObject({ code: "already-watching" });
    expect(await enter(ada)).toMatchObject({ type: "entered" });
    expect(await watch(ada, { channel: "hall:2" })).toMatchObject({ type: "watching" });
    expect(await watch(ada, { channel: "hall:3" })).toMatchObject({ code: "too-many-watches" });
    expect(await ada.ask({ type: "unwatch", channel: "hall:2" })).toMatchObject({ type: "unwatched" });
    expect(await ada.ask({ type: "unwatch", channel: "hall:2" })).toMatchObject({ code: "not-watching" });
  });

  it("G10: tenants are apart", async () => {
    const world = await cluster({ nodes: 2 });
    world.token("eve", { tenant: "other" });
    const [ada, eve] = [await world.guest("ada"), await world.guest("eve", { node: 1 })];
    await enter(ada);
    await watch(eve);
    await enter(eve);
    await world.advance(1_000);
    expect(seen(eve)).toEqual({ eve: "active a" });
    expect(await eve.ask({ type: "roster", channel: HALL, limit: 9 })).toMatchObject({ members: [{ user: "eve" }] });
  });

  it("R6: a large room shows those who came first, and those near", async () => {
    const world = await cluster();
    const watcher = await world.guest("zoe");
    await watch(watcher);
    await enter(watcher, "b");
    for (const user of ["u1", "u2", "u3", "u4", "u5", "u6"]) {
      await enter(await world.guest(user), user === "u6" ? "b" : "a");
      await world.advance(100);
    }
    expect(Object.keys(seen(watcher))).toEqual(["u1", "u2", "u3", "u6", "zoe"]);
    expect(count(watcher)).toBe(7);
    const page = await watcher.ask({ type: "roster", channel: HALL, limit: 4 });
    expect(page).toMatchObject({ type: "roster-page", members: [{}, {}, {}, {}] });
    const { next } = page as { next?: string };
    const rest = await watcher.ask({ type: "roster", channel: HALL, limit: 4, after: next });
    expect((rest as { members: unknown[] }).members).toHaveLength(3);
    expect(rest).not.toHaveProperty("next");
    // It goes elsewhere: others are near.
    await enter(watcher, "a");
    await world.advance(200);
    expect(Object.keys(seen(watcher))).toEqual(["u1", "u2", "u3", "u4", "u5", "zoe"]);
  });

  it("R6: a `near` that fails leaves a member nowhere, and everything else as it is", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    await enter(ada, "broken");
    await world.advance(100);
    expect(seen(bob)).toEqual({ ada: "active broken" });
    expect(world.runtime.lines).toContainEqual(expect.objectContaining({ message: expect.stringContaining("near") }));
  });

  it("R6: who was hidden is shown when there is room", async () => {
    const world = await cluster();
    const watcher = await world.client("watcher");
    await watch(watcher);
    const guests = [];
    for (const user of ["u1", "u2", "u3", "u4", "u5"]) guests.push(await world.guest(user));
    for (const guest of guests) await enter(guest);
    await world.advance(100);
    expect(Object.keys(seen(watcher))).toEqual(["u1", "u2", "u3", "u4"]);
    if (guests[1]) await leave(guests[1]);
    await world.advance(100);
    expect(Object.keys(seen(watcher))).toEqual(["u1", "u3", "u4", "u5"]);
  });

  it("R6: who has gone from a room that is then small enough to be shown whole is gone for those near, too", async () => {
    const world = await cluster();
    const [zoe, cleo] = [await world.guest("zoe"), await world.guest("cleo")];
    for (const watcher of [zoe, cleo]) await watch(watcher);
    await enter(zoe, "b");
    await enter(cleo, "b");
    for (const user of ["u1", "u2"]) await enter(await world.guest(user));
    const last = await world.guest("last");
    await enter(last, "b");
    await world.advance(100);
    expect([Object.keys(seen(zoe)), Object.keys(seen(cleo))]).toEqual([
      ["cleo", "last", "u1", "u2", "zoe"],
      ["cleo", "last", "u1", "u2", "zoe"],
    ]);
    await leave(last);
    // One is elsewhere before it was told.
    await enter(cleo, "a");
    await world.advance(100);
    expect([Object.keys(seen(zoe)), Object.keys(seen(cleo))]).toEqual([
      ["cleo", "u1", "u2", "zoe"],
      ["cleo", "u1", "u2", "zoe"],
    ]);
    expect(zoe.all("members").filter(({ full }) => full)).toHaveLength(1);
  });

  it("the application sees who is there", async () => {
    const world = await cluster({ nodes: 2 });
    const ada = await world.guest("ada");
    const here = world.node(1).application("acme").presence(HALL);
    let told = 0;
    const stop = here.subscribe(() => told++);
    await enter(ada);
    await world.advance(100);
    expect(here.members()).toMatchObject([{ user: "ada", state: { page: "a" }, status: "active" }]);
    expect([here.count(), here.has("ada"), here.has("bob"), told]).toEqual([1, true, false, 1]);
    signal(ada, { typing: true });
    await world.advance(100);
    expect(told).toBe(1);
    stop();
    expect(() => world.node().application("acme").presence("room:1")).toThrow("declares presence");
  });

  it("R1 G13: costs a slow watcher a number: it is told what is newest when it reads again", async () => {
    const world = await cluster({ limits: { windowBytes: 16_384 } });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    await enter(ada);
    await world.advance(100);
    bob.acknowledges = false;
    for (let n = 0; n < 300; n++) {
      await enter(ada, `${"x".repeat(100)}${n}`);
      await world.advance(100);
    }
    expect(JSON.stringify(bob.all("members")).length).toBeLessThan(40_000);
    expect(seen(bob).ada).not.toMatch(/299$/);
    bob.acknowledges = true;
    bob.acknowledge();
    await world.advance(100);
    expect(seen(bob).ada).toMatch(/x299$/);
  });

  it("shares one message among all who are at the same place", async () => {
    const world = await cluster();
    const ada = await world.guest("ada");
    const watchers = [];
    for (let n = 0; n < 5; n++) watchers.push(await world.client(`w${n}`));
    for (const watcher of watchers) await watch(watcher);
    await enter(ada);
    await world.advance(100);
    for (const watcher of watchers) expect(seen(watcher)).toEqual({ ada: "active a" });
  });
});
