import { describe, expect, it } from "vitest";
import type { BusMessage, Envelope } from "../bus/bus.ts";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";
import type { RawClient } from "../connection/raw-client.fixture.ts";
import { enter, HALL, latest, leave, seen, signal, story, watch } from "./hall.fixture.ts";

const PRESENCE: ReadonlySet<BusMessage["kind"]> = new Set(["presence", "signals", "roster", "roster-wanted"]);

/** Two nodes; Ada is at the first, Bob watches at the second. */
async function apart(): Promise<{ world: Cluster; ada: RawClient; bob: RawClient; device: string }> {
  const world = await cluster({ nodes: 2 });
  const [ada, bob] = [await world.guest("ada"), await world.guest("bob", { node: 1 })];
  await watch(bob);
  return { world, ada, bob, device: world.device("ada") };
}

/** Silences a node for good, as its death does. */
function kill(world: Cluster, node: number): void {
  const names = new Set<string>();
  const { bus } = world;
  const told = bus.loses;
  let dying = true;
  bus.loses = (envelope) => {
    if (dying) names.add(envelope.node);
    return names.has(envelope.node) || told(envelope);
  };
  world.node(node).destroy();
  dying = false;
}

describe("presence on several nodes", () => {
  it("G6 R10: a loss on the bus is noticed and made good", async () => {
    const { world, ada, bob } = await apart();
    await world.advance(1_000);
    world.bus.loses = ({ message }) => message.kind === "presence";
    await enter(ada);
    await world.advance(200);
    expect(seen(bob)).toEqual({});
    await world.advance(1_000);
    expect(seen(bob)).toEqual({ ada: "active a" });
    await leave(ada);
    await world.advance(1_000);
    expect(seen(bob)).toEqual({});
  });

  it("G6 R10: an answer that is lost is asked for again", async () => {
    const { world, ada, bob } = await apart();
    await world.advance(1_000);
    let lost = 0;
    world.bus.loses = ({ message }) =>
      message.kind === "presence" || ((message.kind === "roster" || message.kind === "roster-wanted") && ++lost <= 3);
    await enter(ada);
    await world.advance(6_000);
    expect(lost).toBeGreaterThan(3);
    expect(seen(bob)).toEqual({ ada: "active a" });
  });

  it("G6 R10: a node that comes later learns who is there", async () => {
    const world = await cluster();
    for (let n = 0; n < 20; n++) await enter(await world.guest(`u${n}`), "p");
    await world.addNode();
    const late = await world.guest("late", { node: 1 });
    await world.advance(1_500);
    await watch(late, { channel: HALL });
    await world.settle();
    expect(late.all("members").at(-1)).toMatchObject({ count: 20 });
  });

  it("G6 R11: the members of a dead node show `reconnecting` within 5 s, and have left 10 s after it was last heard of", async () => {
    const { world, ada, bob, device } = await apart();
    await enter(ada);
    await world.advance(5_000);
    kill(world, 0);
    await world.advance(2_000);
    expect(seen(bob)).toEqual({ ada: "active a" });
    await world.advance(3_000);
    expect(seen(bob)).toEqual({ ada: "reconnecting a" });
    await world.advance(4_000);
    expect(seen(bob)).toEqual({ ada: "reconnecting a" });
    await world.advance(2_000);
    expect(story(bob, device)).toEqual(["active", "reconnecting", "gone"]);
  });

  it("G6 R11: who comes back to another node after its node's death shows no leave and no join", async () => {
    const { world, ada, bob, device } = await apart();
    await enter(ada);
    await world.advance(1_000);
    kill(world, 0);
    await world.advance(6_000);
    await enter(await world.guest("ada", { node: 1, nth: 2 }));
    await world.advance(20_000);
    expect(story(bob, device)).toEqual(["active", "reconnecting", "active"]);
  });

  it("G6 R11: the members of a node that is not heard of for a while come back with it", async () => {
    const { world, ada, bob, device } = await apart();
    await enter(ada);
    await world.advance(1_000);
    world.bus.loses = () => true;
    await world.advance(7_000);
    expect(seen(bob)).toEqual({ ada: "reconnecting a" });
    world.bus.loses = () => false;
    await world.advance(2_000);
    expect(story(bob, device)).toEqual(["active", "reconnecting", "active"]);
  });

  it("G6 R11: those that it lost or let go meanwhile do not, and those away for too long come anew", async () => {
    const { world, ada, bob, device } = await apart();
    const cleo = await world.guest("cleo");
    await enter(ada);
    await enter(cleo);
    await world.advance(1_000);
    world.bus.loses = () => true;
    await world.advance(5_000);
    await leave(cleo);
    await world.advance(15_000);
    expect(seen(bob)).toEqual({});
    world.bus.loses = () => false;
    await world.advance(3_000);
    expect(seen(bob)).toEqual({ ada: "active a" });
    expect(story(bob, device)).toEqual(["active", "reconnecting", "gone", "active"]);
    expect(story(bob, world.device("cleo"))).toEqual(["active", "reconnecting", "gone"]);
  });

  it("G6 R12: a node that stood still comes back under another name, and its members with it", async () => {
    const { world, ada, bob, device } = await apart();
    await enter(ada);
    await world.advance(1_000);
    const names = new Set<string>();
    world.bus.listen(({ node }) => names.add(node));
    world.runtime.stall(8_000);
    await world.advance(3_000);
    expect([...names].filter((name) => name.endsWith("~2"))).toHaveLength(2);
    await world.advance(20_000);
    expect(seen(bob)).toEqual({ ada: "active a" });
    expect(story(bob, device)).not.toContain("gone");
  });

  it("G6 R2: late, repeated and reordered words make no ghost", async () => {
    const { world, ada, bob, device } = await apart();
    const kept: Envelope[] = [];
    world.bus.loses = (envelope) => {
      if (PRESENCE.has(envelope.message.kind)) kept.push(envelope);
      return false;
    };
    await enter(ada);
    await world.advance(100);
    await enter(ada, "b");
    await world.advance(100);
    await leave(ada);
    await world.advance(1_000);
    expect(seen(bob)).toEqual({});
    for (const envelope of [...kept].reverse().concat(kept)) world.bus.send(envelope);
    await world.advance(100);
    expect(seen(bob)).toEqual({});
    await world.advance(30_000);
    for (const envelope of [...kept]) world.bus.send(envelope);
    await world.advance(2_000);
    expect(story(bob, device)).toEqual(["active", "gone"]);
  });

  it("G6 R2: a goodbye to a node that has not heard of the place yet is remembered, and passed on", async () => {
    const { world, ada, bob, device } = await apart();
    await world.advance(1_000);
    const kept: Envelope[] = [];
    world.bus.loses = (envelope) => PRESENCE.has(envelope.message.kind) && kept.push(envelope) > 0;
    await enter(ada);
    await world.advance(100);
    // Posted, as over HTTP: to any node.
    const side = await world.guest("ada", { node: 1, side: true });
    expect(await leave(side)).toMatchObject({ type: "left" });
    side.leave();
    world.bus.loses = () => false;
    await world.advance(100);
    for (const envelope of kept) world.bus.send(envelope);
    await world.advance(100);
    const cleo = await world.guest("cleo");
    await watch(cleo);
    await world.advance(1_000);
    expect([seen(cleo), seen(bob)]).toEqual([{}, {}]);
    expect(story(bob, device)).toEqual([]);
    await enter(ada);
    await world.advance(100);
    expect([seen(cleo), seen(bob)]).toEqual([{ ada: "active a" }, { ada: "active a" }]);
  });

  it("G6 R5 W9: nothing is remembered of a goodbye of who has no right to enter, or says too many", async () => {
    const world = await cluster({ nodes: 2, limits: { signalsPerConnection: 5 } });
    const ada = await world.guest("ada");
    const words: string[] = [];
    world.bus.loses = ({ message }) => message.kind === "presence" && words.push(message.channel) < 0;
    world.rules.hall = ["read"];
    expect(await leave(ada)).toMatchObject({ type: "left" });
    await world.advance(1_000);
    expect(words).toEqual([]);
    world.rules.hall = undefined;
    const farewell = (n: number) => ada.ask({ type: "leave", channel: `hall:1${n}`, seq: n });
    const answers = await Promise.all([1, 2, 3, 4, 5, 6, 7].map(farewell));
    expect(answers.filter((answer) => answer?.type === "left")).toHaveLength(5);
    expect(answers.at(-1)).toMatchObject({ type: "error", code: "rate-limited", retryable: true });
    await world.advance(1_000);
    expect(words).toHaveLength(5);
    expect(await ada.ask({ type: "leave", channel: "room:1", seq: 9 })).toMatchObject({ type: "left" });
  });

  it("G6 R4: a short reconnect while the bus is away shows nothing, whichever word comes first", async () => {
    const { world, ada, bob, device } = await apart();
    await enter(ada);
    await world.advance(1_000);
    const kept: Envelope[] = [];
    world.bus.loses = (envelope) => PRESENCE.has(envelope.message.kind) && kept.push(envelope) > 0;
    ada.destroy();
    await world.advance(300);
    const again = await world.guest("ada", { node: 1, nth: 2 });
    await enter(again);
    await world.advance(300);
    world.bus.loses = () => false;
    for (const envelope of kept.reverse()) world.bus.send(envelope);
    await world.advance(20_000);
    expect(story(bob, device)).toEqual(["active"]);
    const cleo = await world.guest("cleo");
    await watch(cleo);
    await world.advance(100);
    expect(seen(cleo)).toEqual({ ada: "active a" });
  });

  it("G6 R10: who left so long ago that its node has forgotten it is gone all the same", async () => {
    const { world, ada, bob } = await apart();
    await enter(ada);
    await world.advance(1_000);
    world.bus.loses = ({ message }) => PRESENCE.has(message.kind);
    await leave(ada);
    await world.advance(70_000);
    expect(seen(bob)).toEqual({ ada: "active a" });
    world.bus.loses = () => false;
    await world.advance(13_000);
    expect(seen(bob)).toEqual({});
  });

  it("R7: signals of one who is not known there are not shown", async () => {
    const { world, ada, bob } = await apart();
    await world.advance(1_000);
    world.bus.loses = ({ message }) => message.kind === "presence" || message.kind.startsWith("roster");
    await enter(ada);
    signal(ada, { cursor: { x: 1 } });
    await world.advance(300);
    expect(latest(bob, "cursor")).toEqual({});
    world.bus.loses = () => false;
    await world.advance(2_000);
    signal(ada, { cursor: { x: 2 } });
    await world.advance(300);
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 2 } });
  });

  it("R13: a tick's words and signals are one message each, whatever the number of those who speak", async () => {
    const { world, bob } = await apart();
    const guests = [];
    for (let n = 0; n < 10; n++) guests.push(await world.guest(`u${n}`));
    await world.advance(1_000);
    const sent: string[] = [];
    world.bus.loses = ({ message }) => sent.push(message.kind) < 0;
    await Promise.all(guests.map((guest) => enter(guest)));
    for (const guest of guests) for (let x = 0; x < 5; x++) signal(guest, { cursor: { x } });
    await world.advance(400);
    expect(sent.filter((kind) => kind === "presence").length).toBeLessThanOrEqual(2);
    expect(sent.filter((kind) => kind === "signals").length).toBeLessThanOrEqual(2);
    expect(Object.keys(latest(bob, "cursor"))).toHaveLength(4);
  });
});
