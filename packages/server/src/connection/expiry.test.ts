import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";

const LIFE = 60_000;

/** A client whose token ends in a minute, reading `room:1`. */
async function shortLived(world: Cluster) {
  world.token("ada", { expires: world.runtime.now() + LIFE });
  const client = await world.client("ada");
  await client.subscribe("room:1");
  return client;
}

describe("when a token expires", () => {
  it("G10: nothing is delivered any more but the notice; after a refresh the client goes on where it was", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    await world.fill("room:1", 1);
    world.runtime.jump(LIFE);
    await world.fill("room:1", 1, 0, () => "2");
    await world.advance(2_000);
    expect(client.texts("room:1")).toEqual(["1"]);
    expect(client.told.slice(-1)).toMatchObject([{ type: "error", code: "needs-auth", retryable: true }]);
    const position = client.all("events").map(({ to, tag }) => ({ offset: to, tag }))[0];
    const { epoch } = await world.node().application("acme").head("room:1");
    world.token("fresh", { user: "ada" });
    expect(await client.ask({ type: "refresh", token: "fresh" })).toMatchObject({ type: "welcome", user: "ada" });
    await client.subscribe("room:1", { from: { epoch, ...position } });
    expect(client.texts("room:1")).toEqual(["1", "2"]);
    expect(client.end).toBeUndefined();
  });

  it("G10: what was queued in the same turn is purged", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    const before = client.told.length;
    const published = world.node().application("acme").publish("room:1", "message", { text: "queued" });
    // The event is queued by microtasks; the flush comes at the end of the turn.
    for (let turn = 0; turn < 50; turn++) await Promise.resolve();
    world.runtime.jump(LIFE);
    await world.settle();
    await published;
    expect(client.told.slice(before)).toMatchObject([{ code: "needs-auth" }]);
  });

  it("G10: nor does a subscription begin in the turn in which its session ends", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    const before = client.told.length;
    const { now } = world.runtime;
    // The time comes while the frame is taken: when the last of the old subscription is flushed before the new one begins.
    let looks = 0;
    world.runtime.now = () => now() + (++looks > 2 ? LIFE : 0);
    const [first, second] = [client.nextId(), client.nextId()];
    client.say(
      { type: "unsubscribe", id: first, channel: "room:1" },
      { type: "subscribe", id: second, channel: "room:1", lane: "critical" },
    );
    await world.settle();
    await world.fill("room:1", 1);
    await world.advance(2_000);
    expect(client.told.slice(before)).toMatchObject([{ code: "needs-auth" }]);
  });

  it("G10: bytes that the socket has not taken cannot be called back: the connection is cut", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    client.reading = false;
    await world.fill("room:1", 1);
    expect(client.buffered()).toBeGreaterThan(0);
    world.runtime.jump(LIFE);
    await world.advance(1_100);
    expect(client.end).toBe("destroyed");
    expect(client.buffered()).toBe(0);
  });

  it("G2, G10: an answer under way is not sent; asked again after the refresh, it took effect once", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { append: promise };
    const publish = client.publishing("room:1", 1);
    await client.ask(publish);
    world.runtime.jump(LIFE);
    await world.advance(1_100);
    resolve();
    await world.settle();
    expect(client.all("published")).toEqual([]);
    world.token("ada");
    await client.ask({ type: "refresh", token: "ada" });
    expect(await client.ask(publish)).toMatchObject({ duplicate: true, position: { offset: 1 } });
    await client.subscribe("room:1", { from: { last: 10 } });
    expect(client.texts("room:1")).toEqual(["1"]);
  });

  it("G10: a publish that is still being judged does not reach the log", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    await world.advance(30_000);
    const { promise, resolve } = Promise.withResolvers<void>();
    world.log().held = { page: promise };
    await client.publish("room:new", 1);
    world.runtime.jump(LIFE);
    await world.advance(1_100);
    resolve();
    await world.settle();
    expect(await world.node().application("acme").head("room:new")).toMatchObject({ offset: 0 });
  });

  it("G10: requests are answered needs-auth, pings are answered, and 4006 ends it after a minute", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    await world.advance(LIFE + 1_000);
    expect(await client.publish("room:1", 1)).toMatchObject({ code: "needs-auth" });
    expect(await client.subscribe("room:2")).toMatchObject({ code: "needs-auth" });
    expect(await client.ask({ type: "history", channel: "room:1", limit: 1 })).toMatchObject({ code: "needs-auth" });
    client.say({ type: "ping" });
    await world.settle();
    expect(client.all("pong")).toHaveLength(1);
    expect(client.all("events")).toEqual([]);
    await world.advance(20_000);
    client.say({ type: "ping" });
    await world.advance(20_000);
    client.say({ type: "ping" });
    await world.advance(18_000);
    expect(client.end).toBeUndefined();
    await world.advance(4_000);
    expect(client.end).toEqual({ code: 4006, reason: "needs-auth-timeout" });
  });

  it("G10: a clock that is set back does not bring it to life again", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    await world.advance(LIFE + 1_000);
    world.runtime.jump(-LIFE);
    await world.fill("room:1", 1);
    expect(client.texts("room:1")).toEqual([]);
  });
});

describe("refresh", () => {
  it("before the end goes on without a pause: no event is lost, none comes twice", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    await world.fill("room:1", 2);
    world.token("later", { user: "ada", expires: world.runtime.now() + 2 * LIFE });
    expect(await client.ask({ type: "refresh", token: "later" })).toMatchObject({ type: "welcome" });
    await world.advance(LIFE + 1_000);
    await world.fill("room:1", 1, 0, () => "3");
    expect(client.texts("room:1")).toEqual(numbers(3));
  });

  it.each([
    ["user", { user: "bob" }],
    ["tenant", { user: "ada", tenant: "other" }],
  ])("G10: into another %s is refused, and what stands goes on", async (_, other) => {
    const world = await cluster();
    const client = await shortLived(world);
    world.token("other", other);
    expect(await client.ask({ type: "refresh", token: "other" })).toMatchObject({ code: "wrong-user" });
    await world.fill("room:1", 1);
    expect(client.texts("room:1")).toEqual(["1"]);
    await world.advance(LIFE);
    expect(await client.ask({ type: "refresh", token: "other" })).toMatchObject({ code: "wrong-user" });
    await world.fill("room:1", 1);
    expect(client.texts("room:1")).toEqual(["1"]);
  });

  it("with a token that is not accepted is told why", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    expect(await client.ask({ type: "refresh", token: "nonsense" })).toMatchObject({ code: "token-invalid" });
    world.token("over", { user: "ada", expires: world.runtime.now() });
    expect(await client.ask({ type: "refresh", token: "over" })).toMatchObject({ code: "token-expired" });
    expect(client.end).toBeUndefined();
  });

  it("G10: to fewer rights ends the subscriptions that they do not cover, and says so", async () => {
    const world = await cluster();
    const client = await shortLived(world);
    await client.subscribe("club:1");
    await client.subscribe("alert:1");
    world.token("less", { user: "ada", grants: { "alert:*": ["read"] } });
    await client.ask({ type: "refresh", token: "less" });
    expect(client.all("unsubscribed").map(({ channel }) => channel)).toEqual(["room:1", "club:1"]);
    for (const name of ["room:1", "club:1", "alert:1"]) await world.fill(name, 1);
    expect(client.all("events").map(({ channel }) => channel)).toEqual(["alert:1"]);
  });
});

describe("revocation", () => {
  it("G10: of a user ends delivery at once on this node and within 2 s on others; only a token made later is taken", async () => {
    const world = await cluster({ nodes: 2 });
    const clients = [await world.client("ada", 0), await world.client("ada", 1)];
    const control = await world.client("bob", 1);
    for (const client of [...clients, control]) await client.subscribe("room:1");
    await world.advance(2_000);
    const revoked = world.node().revoke({ kind: "user", tenant: "acme", user: "ada", before: world.runtime.now() });
    await world.settle();
    await revoked;
    await world.fill("room:1", 1);
    expect(clients[0]?.texts("room:1")).toEqual([]);
    await world.advance(2_000);
    await world.fill("room:1", 1, 0, () => "2");
    for (const client of clients) {
      expect(client.errors()).toEqual(["needs-auth"]);
      expect(client.texts("room:1")).not.toContain("2");
    }
    expect(control.texts("room:1")).toEqual(["1", "2"]);
    const [client] = clients;
    expect(await client?.ask({ type: "refresh", token: "ada" })).toMatchObject({ code: "token-revoked" });
    const stranger = world.stranger(1);
    expect(await stranger.hello("ada")).toMatchObject({ code: "token-revoked" });
    expect(stranger.end).toMatchObject({ code: 4403 });
    world.token("again", { user: "ada" });
    expect(await client?.ask({ type: "refresh", token: "again" })).toMatchObject({ type: "welcome" });
  });
});

describe("rights that change", () => {
  it("G10: are asked for anew after invalidate: a subscription that they do not cover ends", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.client("ada"), await world.client("bob")];
    await ada.subscribe("club:1");
    await bob.subscribe("club:1");
    world.rules.club = [];
    expect(await ada.publish("club:1", 1)).toMatchObject({ type: "published" });
    await world.node().invalidate({ user: "ada" });
    await world.settle();
    expect(ada.all("unsubscribed")).toMatchObject([{ channel: "club:1" }]);
    expect(await ada.publish("club:1", 2)).toMatchObject({ code: "forbidden" });
    await world.fill("club:1", 1, 0, () => "later");
    expect(ada.texts("club:1")).toEqual(["1"]);
    expect(bob.texts("club:1")).toEqual(["1", "later"]);
  });
});

describe("rights that are being asked for anew", () => {
  const asked = async (rights: readonly "read"[]) => {
    const world = await cluster();
    const ada = await world.client("ada");
    await ada.subscribe("club:1");
    await world.fill("club:1", 1);
    const { promise, resolve } = Promise.withResolvers<readonly "read"[]>();
    world.rules.club = promise;
    await world.node().invalidate({ user: "ada" });
    await world.fill("club:1", 2, 0, (n) => `${n + 1}`);
    await world.advance(2_000);
    expect(ada.texts("club:1")).toEqual(["1"]);
    resolve(rights);
    await world.settle();
    return ada;
  };

  it("G10: nothing is delivered before the answer; what was held back does not come where it is no", async () => {
    const ada = await asked([]);
    expect(ada.texts("club:1")).toEqual(["1"]);
    expect(ada.all("unsubscribed")).toMatchObject([{ channel: "club:1" }]);
  });

  it("G3, G10: what was held back comes, without a gap, where it is yes", async () => {
    const ada = await asked(["read"]);
    expect(ada.texts("club:1")).toEqual(["1", "2", "3"]);
    expect(ada.faults).toEqual([]);
  });
});

describe("rights that change on another node", () => {
  it("G10: take effect within two seconds, also where the bus says nothing", async () => {
    const world = await cluster({ nodes: 2 });
    world.bus.loses = () => true;
    const ada = await world.client("ada", 1);
    await ada.subscribe("club:1");
    world.rules.club = [];
    await world.node(0).invalidate({ tenant: "acme" });
    await world.advance(2_000);
    expect(ada.all("unsubscribed")).toMatchObject([{ channel: "club:1" }]);
  });
});

describe("a connection that says nothing", () => {
  it("G11: is closed 4005 after ten seconds", async () => {
    const world = await cluster();
    const client = world.stranger();
    await world.advance(10_000);
    expect(client.end).toBeUndefined();
    await world.advance(1_100);
    expect(client.told).toMatchObject([{ code: "handshake-timeout" }]);
    expect(client.end).toEqual({ code: 4005, reason: "handshake-timeout" });
  });
});
