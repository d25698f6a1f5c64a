import { describe, expect, it } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster, numbers } from "../cluster.fixture.ts";
import type { RawClient } from "./raw-client.fixture.ts";

/** Sends publishes `from … to` in one turn. @returns the ids of the requests */
async function publishes(world: Cluster, client: RawClient, channel: string, from: number, to: number) {
  const ids: number[] = [];
  for (let seq = from; seq <= to; seq++) {
    const id = client.nextId();
    ids.push(id);
    client.say({ id, ...client.publishing(channel, seq) });
  }
  await world.settle();
  return ids;
}

/** What became of requests: how many of each. */
function outcomes(client: RawClient, ids: readonly number[]): Record<string, number> {
  const kinds = ids.map((id) => {
    const answer = client.answer(id);
    return answer?.type === "error" ? answer.code : (answer?.type ?? "nothing");
  });
  return Object.fromEntries(
    Object.entries(Object.groupBy(kinds, (kind) => kind)).map(([kind, of]) => [kind, of?.length ?? 0]),
  );
}

describe("rates of publishes", () => {
  it("W8: what goes over a connection's rate is told when to come back, before the log sees it; then it goes on in order", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 10 } });
    const client = await world.client("ada");
    await client.subscribe("room:1");
    const ids = await publishes(world, client, "room:1", 1, 25);
    expect(outcomes(client, ids)).toEqual({ published: 10, "rate-limited": 15 });
    const [refused] = client.all("error");
    expect(refused).toMatchObject({ code: "rate-limited", channel: "room:1", retryable: true, retryAfter: 100 });
    const asked = world.log().count("append");
    // Whoever comes too early costs the log nothing.
    await world.advance(98);
    expect(outcomes(client, await publishes(world, client, "room:1", 11, 12))).toEqual({ "rate-limited": 2 });
    expect(world.log().count("append")).toBe(asked);
    await world.advance(2);
    expect(outcomes(client, await publishes(world, client, "room:1", 11, 12))).toEqual({
      published: 1,
      "rate-limited": 1,
    });
    await world.advance(1_000);
    expect(outcomes(client, await publishes(world, client, "room:1", 12, 21))).toEqual({ published: 10 });
    expect(client.texts("room:1")).toEqual(numbers(21));
  });

  it("W8: those behind a refused one are out of sequence, and none of them gets past it", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 2 } });
    const client = await world.client("ada");
    await client.subscribe("room:1");
    await publishes(world, client, "room:1", 1, 3);
    await world.advance(500);
    expect(outcomes(client, await publishes(world, client, "room:1", 4, 4))).toEqual({ "out-of-sequence": 1 });
    await world.advance(500);
    expect(outcomes(client, await publishes(world, client, "room:1", 3, 4))).toEqual({
      published: 1,
      "rate-limited": 1,
    });
    expect(client.texts("room:1")).toEqual(numbers(3));
  });

  it("W8: a retry of what is stored counts too", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 2 } });
    const client = await world.client("ada");
    await publishes(world, client, "room:1", 1, 1);
    const ids = [
      ...(await publishes(world, client, "room:1", 1, 1)),
      ...(await publishes(world, client, "room:1", 1, 1)),
    ];
    expect(outcomes(client, ids)).toEqual({ published: 1, "rate-limited": 1 });
  });

  it("G11: a user's connections share the user's rate, and another user is not touched", async () => {
    const world = await cluster({ limits: { publishesPerUser: 10 } });
    const [one, two, other] = [await world.client("ada"), await world.client("ada"), await world.client("bob")];
    expect(outcomes(one, await publishes(world, one, "room:1", 1, 6))).toEqual({ published: 6 });
    expect(outcomes(two, await publishes(world, two, "room:1", 1, 6))).toEqual({ published: 4, "rate-limited": 2 });
    expect(outcomes(other, await publishes(world, other, "room:1", 1, 10))).toEqual({ published: 10 });
  });

  it("G10 G11: a user of the same name in another tenant is another user", async () => {
    const world = await cluster({ limits: { publishesPerUser: 3 } });
    world.token("elsewhere", { tenant: "other", user: "ada" });
    const [here, there] = [await world.client("ada"), await world.client("elsewhere")];
    expect(outcomes(here, await publishes(world, here, "room:1", 1, 4))).toEqual({ published: 3, "rate-limited": 1 });
    expect(outcomes(there, await publishes(world, there, "room:1", 1, 3))).toEqual({ published: 3 });
  });

  it("G11: an address has one rate for all of its users; for IPv6 that is the network of 64 bits", async () => {
    const world = await cluster({ limits: { publishesPerAddress: 10 } });
    const one = await world.client("ada", 0, undefined, undefined, "2001:db8:0:1::1");
    const two = await world.client("bob", 0, undefined, undefined, "2001:db8:0:1:ffff::2");
    const other = await world.client("eve", 0, undefined, undefined, "2001:db8:0:2::1");
    expect(outcomes(one, await publishes(world, one, "room:1", 1, 6))).toEqual({ published: 6 });
    expect(outcomes(two, await publishes(world, two, "room:1", 1, 6))).toEqual({ published: 4, "rate-limited": 2 });
    expect(outcomes(other, await publishes(world, other, "room:1", 1, 6))).toEqual({ published: 6 });
  });

  it("G11: what one rate refuses takes nothing from the others", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 2, publishesPerUser: 4 } });
    const [one, two] = [await world.client("ada"), await world.client("ada")];
    expect(outcomes(one, await publishes(world, one, "room:1", 1, 50))).toEqual({ published: 2, "rate-limited": 48 });
    expect(outcomes(two, await publishes(world, two, "room:1", 1, 2))).toEqual({ published: 2 });
  });

  it("G11: a refresh does not fill the bucket", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 5 } });
    world.token("short", { user: "ada", expires: world.runtime.now() + 60_000 });
    const client = await world.client("short");
    await publishes(world, client, "room:1", 1, 5);
    world.runtime.jump(60_000);
    world.token("fresh", { user: "ada" });
    expect(await client.ask({ type: "refresh", token: "fresh" })).toMatchObject({ type: "welcome" });
    expect(outcomes(client, await publishes(world, client, "room:1", 6, 6))).toEqual({ "rate-limited": 1 });
  });

  it("G11: publishes without a right go by the rate too: so do the marks that they leave", async () => {
    const world = await cluster({ limits: { publishesPerUser: 5 } });
    world.token("reader", { grants: { "*": ["read"] } });
    const client = await world.client("reader");
    expect(outcomes(client, await publishes(world, client, "room:1", 1, 20))).toEqual({
      forbidden: 5,
      "rate-limited": 15,
    });
  });

  it("C2: the limits are told in welcome", async () => {
    const world = await cluster({ limits: { publishesPerConnection: 7, connectionsPerUser: 3 } });
    const client = await world.client("ada");
    expect(client.all("welcome")[0]?.limits).toMatchObject({ publishesPerConnection: 7, connectionsPerUser: 3 });
  });
});

describe("rates of signals and presence", () => {
  const HALL = "hall:1";

  async function present(limits: Parameters<typeof cluster>[0]) {
    const world = await cluster(limits);
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await ada.ask({ type: "enter", channel: HALL, seq: 1, state: { page: "a" } });
    await bob.ask({ type: "watch", channel: HALL });
    await world.advance(1_000);
    let seq = 1;
    const signal = (signals: object) => ada.say({ type: "signal", channel: HALL, seq: ++seq, signals });
    return { world, ada, bob, signal };
  }

  it("W9: signals over the rate are dropped, and told once a second at most; after the wait they go on", async () => {
    const { world, ada, bob, signal } = await present({ limits: { signalsPerConnection: 10 } });
    for (let x = 1; x <= 50; x++) signal({ cursor: { x } });
    await world.advance(500);
    for (let x = 51; x <= 100; x++) signal({ cursor: { x } });
    await world.advance(499);
    expect(ada.all("unsignalled")).toMatchObject([
      { channel: HALL, seq: 12, code: "rate-limited", retryable: true, retryAfter: 1_000 },
    ]);
    const shown = () => bob.all("signals").flatMap(({ signals }) => Object.values(signals.cursor ?? {}));
    // Of the first fifty, the tenth was the last; five came in the half second after.
    expect(shown().at(-1)).toEqual({ x: 55 });
    await world.advance(1_000);
    signal({ cursor: { x: 101 } });
    await world.advance(100);
    expect(shown().at(-1)).toEqual({ x: 101 });
    expect(ada.all("unsignalled")).toHaveLength(1);
  });

  it("W9: each key of a message counts", async () => {
    const { world, ada, signal } = await present({ limits: { signalsPerUser: 10 } });
    for (let n = 0; n < 5; n++) signal({ cursor: { x: n }, typing: true });
    await world.settle();
    expect(ada.all("unsignalled")).toEqual([]);
    signal({ cursor: { x: 5 } });
    await world.settle();
    expect(ada.all("unsignalled")).toHaveLength(1);
  });

  it("W9: a change of presence over the rate is answered with the time to wait", async () => {
    const { world, ada } = await present({ limits: { signalsPerConnection: 2 } });
    const answers: unknown[] = [];
    for (const page of ["b", "c", "d"])
      answers.push(await ada.ask({ type: "enter", channel: HALL, seq: 10 + answers.length, state: { page } }));
    expect(answers).toMatchObject([
      { type: "entered" },
      { type: "entered" },
      { type: "error", code: "rate-limited", retryAfter: 500 },
    ]);
    await world.advance(500);
    expect(await ada.ask({ type: "enter", channel: HALL, seq: 20, state: { page: "d" } })).toMatchObject({
      type: "entered",
    });
  });
});

describe("places", () => {
  const FULL = { code: 4502, reason: "too-many-connections" };

  it("C9: one connection too many of a user is closed with 4502 and told when to come back; others are not touched", async () => {
    const world = await cluster({ limits: { connectionsPerUser: 2 } });
    const [first] = [await world.client("ada"), await world.client("ada")];
    const third = world.stranger();
    expect(await third.hello("ada")).toMatchObject({
      code: "too-many-connections",
      retryable: true,
      retryAfter: 7_500,
    });
    expect(third.end).toEqual(FULL);
    await world.client("bob");
    first.leave();
    await world.settle();
    await world.client("ada");
    expect(world.node().connections).toBe(3);
  });

  it("C9: what stands beside a client's own connection takes no place of its user, and has its user's rate", async () => {
    const world = await cluster({ limits: { connectionsPerUser: 1, publishesPerUser: 5 } });
    const own = await world.client("ada");
    const kinds: Record<string, number>[] = [];
    for (let n = 0; n < 3; n++) {
      const beside = Object.assign(world.stranger(), { side: true });
      expect(await beside.hello("ada")).toMatchObject({ type: "welcome" });
      kinds.push(outcomes(beside, await publishes(world, beside, "room:1", 1, 2)));
    }
    expect(kinds).toEqual([{ published: 2 }, { published: 2 }, { published: 1, "rate-limited": 1 }]);
    const second = world.stranger();
    expect(await second.hello("ada")).toMatchObject({ code: "too-many-connections" });
    expect(own.end).toBeUndefined();
  });

  it("C9: one connection too many from an address is told so before it says hello", async () => {
    const world = await cluster({ limits: { connectionsPerAddress: 2 } });
    const first = world.stranger();
    await world.client("ada");
    const third = world.stranger();
    await world.settle();
    expect(third.told).toMatchObject([{ type: "error", code: "too-many-connections", retryAfter: 7_500 }]);
    expect(third.end).toEqual(FULL);
    await world.client("ada", 0, undefined, undefined, "192.0.2.2");
    first.leave();
    await world.settle();
    await world.client("ada");
  });

  it("G11: a place is given back exactly once, in whatever state a connection ends", async () => {
    const world = await cluster({ limits: { connectionsPerUser: 1, connectionsPerAddress: 1 } });
    const ends: ((client: RawClient) => unknown)[] = [
      // Before hello, in the middle of it, after it.
      (client) => client.leave(),
      (client) => {
        client.say({ type: "hello", id: 1, token: "ada" });
        client.leave();
      },
      async (client) => {
        await client.hello("ada");
        client.leave();
      },
      // By the server: a frame that is none, a wrong token, in the open.
      (client) => client.raw("nonsense"),
      (client) => client.hello("nobody"),
      async (client) => {
        await client.hello("ada");
        client.say({ type: "received", frames: 99 });
      },
      // Without a token any more.
      async (client) => {
        world.token("short", { user: "ada", expires: world.runtime.now() + 1_000 });
        await client.hello("short");
        await world.advance(2_000);
        client.leave();
      },
      async (client) => {
        world.token("short", { user: "ada", expires: world.runtime.now() + 1_000 });
        await client.hello("short");
        await world.advance(70_000);
      },
      // By silence.
      () => world.advance(12_000),
      // By the server and the client at once.
      async (client) => {
        await client.hello("ada");
        client.raw("nonsense");
        client.leave();
      },
    ];
    world.token("ada");
    for (const end of [...ends, ...ends]) {
      await end(world.stranger());
      await world.settle();
      expect(world.node().connections).toBe(0);
      // The one place is there, and no second one.
      const next = await world.client("ada");
      const over = world.stranger();
      await world.settle();
      expect(over.end).toEqual(FULL);
      next.leave();
      await world.settle();
    }
  });
});

describe("guests", () => {
  it("G11: new secrets are counted by address; who was here before, and who has an account, is let in", async () => {
    const world = await cluster({ limits: { guestsPerAddress: 3, connectionsPerUser: 2 } });
    for (const name of ["g1", "g2", "g3", "g4"]) world.token(name, { guest: true });
    for (const name of ["g1", "g2", "g3", "g1"]) await world.client(name);
    await world.stranger().hello("g4");
    const fourth = world.stranger();
    expect(await fourth.hello("g4")).toMatchObject({ code: "rate-limited", retryable: true, retryAfter: 1_200_000 });
    expect(fourth.end).toMatchObject({ code: 4003 });
    await world.client("g2");
    await world.client("ada");
    await world.client("g4", 0, undefined, undefined, "192.0.2.2");
    // Turned away, it holds no place.
    expect(world.node().connections).toBe(7);
  });
});
