import { describe, expect, it, onTestFinished } from "vitest";
import { cluster } from "../cluster.fixture.ts";
import { enter, HALL, latest, leave, nextSeq, signal, watch } from "./hall.fixture.ts";

describe("signals", () => {
  it("R8: the newest of each key goes out with the tick, to all nodes", async () => {
    const world = await cluster({ nodes: 2 });
    const [ada, bob, cleo] = [
      await world.guest("ada"),
      await world.guest("bob"),
      await world.guest("cleo", { node: 1 }),
    ];
    const device = world.device("ada");
    await enter(ada);
    for (const client of [bob, cleo]) await watch(client);
    await world.advance(200);
    for (let x = 1; x <= 10; x++) signal(ada, { cursor: { x } });
    signal(ada, { typing: true });
    await world.advance(100);
    for (const client of [bob, cleo]) {
      expect(client.all("signals")).toMatchObject([
        { full: true, signals: {} },
        { signals: { cursor: { [device]: { x: 10 } }, typing: { [device]: true } } },
      ]);
    }
    signal(ada, { typing: null });
    await world.advance(100);
    expect(latest(cleo, "typing")).toEqual({});
    expect(latest(cleo, "cursor")).toEqual({ [device]: { x: 10 } });
  });

  it("R8: ticks keep their distance", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob, { members: false });
    await world.advance(200);
    const before = bob.all("signals").length;
    for (let ms = 0; ms < 1_000; ms += 10) {
      signal(ada, { cursor: { x: ms } });
      await world.advance(10);
    }
    expect(bob.all("signals").length - before).toBeGreaterThanOrEqual(19);
    expect(bob.all("signals").length - before).toBeLessThanOrEqual(21);
  });

  it("R7: are for those who are there: not before, not after, not of another's channel", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    signal(ada, { cursor: { x: 1 } });
    await enter(ada);
    await world.advance(100);
    signal(ada, { cursor: { x: 2 } });
    await leave(ada);
    signal(ada, { cursor: { x: 3 } });
    ada.say({ type: "signal", channel: "hall:2", seq: nextSeq(), signals: { typing: true } });
    await world.advance(100);
    expect(ada.all("unsignalled").map(({ code }) => code)).toEqual(["not-a-member", "not-a-member", "not-a-member"]);
    expect(latest(bob, "cursor")).toEqual({});
  });

  it("R8: of what one instance signals the newest counts, whichever came last", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob);
    signal(ada, { cursor: { x: 2 } }, 2_000_002);
    signal(ada, { cursor: { x: 1 } }, 2_000_001);
    await world.advance(100);
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 2 } });
  });

  it("R7 G12: two faults in one message, one of which takes its time to be found, are one refusal, and no process ends", async () => {
    const world = await cluster();
    const ada = await world.guest("ada");
    await enter(ada);
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", note);
    onTestFinished(() => void process.off("unhandledRejection", note));
    signal(ada, { slow: "seven", pointer: 1 });
    await world.advance(100);
    expect(ada.all("unsignalled")).toMatchObject([{ code: "invalid-data" }]);
    expect(unhandled).toEqual([]);
  });

  it("R7: are held to their schemas, also to one that takes its time, and to their bounds", async () => {
    const world = await cluster({ limits: { signalBytes: 16, signalKeys: 2 } });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob);
    await world.advance(100);
    signal(ada, { slow: 7 });
    await world.advance(100);
    expect(latest(bob, "slow")).toEqual({ [world.device("ada")]: 7 });
    signal(ada, { cursor: { x: "left" } });
    signal(ada, { pointer: 1 });
    signal(ada, { cursor: { x: 1.23456789012345 } });
    signal(ada, { slow: "seven" });
    signal(ada, { cursor: { x: 1 }, typing: true, slow: 1 });
    await world.advance(100);
    expect(ada.all("unsignalled").map(({ code }) => code)).toEqual([
      "invalid-data",
      "invalid-data",
      "signal-too-large",
      "too-many-signals",
      "invalid-data",
    ]);
    expect(latest(bob, "cursor")).toEqual({});
  });

  it("R8: go with their device, and a newcomer is given those of the last 10 s", async () => {
    const world = await cluster();
    const [ada, bob, cleo] = [await world.guest("ada"), await world.guest("bob"), await world.guest("cleo")];
    for (const client of [ada, bob]) await enter(client);
    signal(ada, { cursor: { x: 1 } });
    await world.advance(8_000);
    signal(bob, { cursor: { x: 2 } });
    await world.advance(3_000);
    await watch(cleo);
    await world.advance(100);
    expect(latest(cleo, "cursor")).toEqual({ [world.device("bob")]: { x: 2 } });
    await leave(bob);
    await world.advance(100);
    expect(latest(cleo, "cursor")).toEqual({});
    expect(JSON.stringify(cleo.all("signals").at(-1))).toContain("null");
  });

  it("R8: who watches anew keeps nothing that was taken back meanwhile", async () => {
    const world = await cluster();
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    signal(ada, { cursor: { x: 1 } });
    await watch(bob);
    await world.advance(100);
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 1 } });
    await bob.ask({ type: "unwatch", channel: HALL });
    signal(ada, { cursor: null });
    await world.advance(100);
    await watch(bob);
    await world.advance(100);
    expect(latest(bob, "cursor")).toEqual({});
  });

  it("R8: give way to presence, and presence to events, where a client does not keep up", async () => {
    const world = await cluster({ limits: { windowBytes: 16_384 } });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await enter(ada);
    await watch(bob);
    await bob.subscribe(HALL);
    await world.advance(100);
    bob.acknowledges = false;
    await world.fill(HALL, 1, 0, () => "x".repeat(9_000));
    const before = bob.all("signals").length;
    signal(ada, { cursor: { x: 1 } });
    await world.advance(100);
    expect(bob.all("signals").length).toBe(before);
    const members = bob.all("members").length;
    await enter(ada, "b");
    await world.advance(100);
    expect(bob.all("members").length).toBe(members + 1);
    await world.fill(HALL, 1, 0, () => "y".repeat(5_000));
    await enter(ada, "c");
    await world.advance(100);
    expect(bob.all("members").length).toBe(members + 1);
    await world.fill(HALL, 1);
    expect(bob.texts(HALL)).toHaveLength(3);
    bob.acknowledges = true;
    bob.acknowledge();
    await world.advance(100);
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 1 } });
  });

  it("R6: in a large room those of the devices that one is shown", async () => {
    const world = await cluster();
    const watcher = await world.guest("watcher");
    await watch(watcher);
    const guests = [];
    for (const user of ["u1", "u2", "u3", "u4", "u5", "u6"]) guests.push(await world.guest(user));
    await enter(watcher, "b");
    for (const [at, guest] of guests.entries()) await enter(guest, at === 5 ? "b" : "a");
    await world.advance(100);
    for (const guest of guests) signal(guest, { typing: true });
    await world.advance(100);
    const shown = ["u1", "u2", "u3", "u6"].map((user) => world.device(user)).sort();
    expect(Object.keys(latest(watcher, "typing")).sort()).toEqual(shown);
  });

  it("R9: over a side connection change what is there, join nobody, and lose nothing with its end", async () => {
    const world = await cluster({ nodes: 2 });
    const [ada, bob] = [await world.guest("ada"), await world.guest("bob")];
    await watch(bob);
    const early = await world.guest("ada", { node: 1, side: true });
    expect(await enter(early)).toMatchObject({ code: "not-a-member" });
    await enter(ada);
    await world.advance(200);
    const side = await world.guest("ada", { node: 1, side: true });
    expect(await enter(side, "side")).toMatchObject({ type: "entered" });
    signal(side, { cursor: { x: 5 } });
    side.leave();
    await world.advance(20_000);
    expect(latest(bob, "cursor")).toEqual({ [world.device("ada")]: { x: 5 } });
    expect(bob.all("members").at(-1)).toMatchObject({ members: [{ status: "active", state: { page: "side" } }] });
    // It says goodbye by whichever connection, also by one that has been overtaken.
    await enter(await world.guest("ada", { nth: 2 }));
    await world.advance(200);
    await leave(await world.guest("ada", { node: 1, side: true }));
    await world.advance(500);
    expect(bob.all("members").at(-1)).toMatchObject({ count: 0 });
  });
});
