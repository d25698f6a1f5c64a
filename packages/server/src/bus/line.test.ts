import { describe, expect, it } from "vitest";
import { LossyBus } from "../cluster.fixture.ts";
import { VirtualRuntime } from "../connection/runtime.fixture.ts";
import type { BusMessage, Envelope } from "./bus.ts";
import { createInProcessBus } from "./in-process.ts";
import { BusLine } from "./line.ts";

const changed = (channel: string): BusMessage => ({ kind: "changed", channel });

/** Two nodes' ends of one bus, the second of which tells what it hears and when it doubts. */
function stage() {
  const runtime = new VirtualRuntime();
  const bus = new LossyBus();
  const heard: string[] = [];
  let doubts = 0;
  const sender = new BusLine(bus, "one", runtime);
  const hearer = new BusLine(bus, "two", runtime);
  const leases: string[] = [];
  hearer.listen({
    message: (message) => heard.push("channel" in message ? message.channel : message.kind),
    doubt: () => doubts++,
    lapsed: (node, at) => leases.push(`${node} lapsed at ${at}`),
    returned: (node) => leases.push(`${node} returned`),
  });
  hearer.start();
  sender.start();
  const newDoubts = () => {
    const count = doubts;
    doubts = 0;
    return count;
  };
  return { runtime, bus, heard, sender, hearer, leases, newDoubts };
}

describe("a node's end of the bus", () => {
  it("doubts once when it first hears of a node: something may have been said before", async () => {
    const { runtime, sender, heard, newDoubts } = stage();
    expect(newDoubts()).toBe(1);
    sender.send(changed("a"));
    sender.send(changed("b"));
    await runtime.advance(3_000);
    expect(heard).toEqual(["a", "b"]);
    expect(newDoubts()).toBe(0);
  });

  it("G3: doubts at a gap in the numbers, whether a message or the beacon shows it", async () => {
    const { runtime, bus, sender, heard, newDoubts } = stage();
    newDoubts();
    bus.loses = ({ message }) => "channel" in message && message.channel === "lost";
    sender.send(changed("lost"));
    expect(newDoubts()).toBe(0);
    sender.send(changed("next"));
    expect(newDoubts()).toBe(1);
    sender.send(changed("lost"));
    await runtime.advance(500);
    expect(newDoubts()).toBe(1);
    await runtime.advance(2_000);
    expect(newDoubts()).toBe(0);
    expect(heard).toEqual(["next"]);
  });

  it("passes on what is repeated or late without a doubt: it was doubted when it was missed", () => {
    const { bus, sender, heard, newDoubts } = stage();
    newDoubts();
    const kept: Envelope[] = [];
    bus.loses = (envelope) => kept.push(envelope) === 1;
    sender.send(changed("late"));
    sender.send(changed("next"));
    expect(newDoubts()).toBe(1);
    bus.loses = () => false;
    for (const envelope of [...kept, ...kept]) bus.send(envelope);
    expect(heard).toEqual(["next", "late", "next", "late", "next"]);
    expect(newDoubts()).toBe(0);
  });

  it("G3: doubts once in silence, and again when a node that was forgotten comes back", async () => {
    const { runtime, bus, newDoubts } = stage();
    newDoubts();
    bus.loses = () => true;
    await runtime.advance(1_400);
    expect(newDoubts()).toBe(0);
    await runtime.advance(40_000);
    expect(newDoubts()).toBe(1);
    bus.loses = () => false;
    await runtime.advance(500);
    expect(newDoubts()).toBe(1);
  });

  it("does not hear itself, and nothing at all once it has stopped", async () => {
    const { runtime, sender, hearer, heard } = stage();
    hearer.send(changed("own"));
    hearer.stop();
    sender.send(changed("a"));
    sender.stop();
    await runtime.settle();
    expect(heard).toEqual([]);
    expect(runtime.timers).toBe(0);
  });
});

describe("a node's lease", () => {
  it("G6: lapses 3 s after it was last heard of, and is taken up again by a word of it", async () => {
    const { runtime, bus, leases } = stage();
    await runtime.advance(1_000);
    bus.loses = () => true;
    await runtime.advance(3_000);
    expect(leases).toEqual([]);
    await runtime.advance(1_000);
    expect(leases).toEqual(["one lapsed at 1000"]);
    bus.loses = () => false;
    await runtime.advance(500);
    expect(leases).toEqual(["one lapsed at 1000", "one returned"]);
  });

  it("G6: that lapsed by a pause of the node itself comes back under another name before it says anything", () => {
    const { runtime, bus, sender } = stage();
    const names: (string | number)[][] = [];
    bus.listen(({ node, number, message }) => names.push([node, number, message.kind]));
    const renewed: string[] = [];
    sender.listen({ renewed: () => renewed.push(sender.node) });
    sender.send(changed("before"));
    runtime.stall(3_001);
    sender.send(changed("after"));
    expect(names).toEqual([
      ["one", 1, "changed"],
      ["one~2", 1, "changed"],
    ]);
    expect(renewed).toEqual(["one~2"]);
  });

  it("G6: is not judged by a node that has just been away itself, until it has listened for a second", async () => {
    const { runtime, bus, leases, hearer } = stage();
    runtime.stall(5_000);
    await runtime.advance(900);
    expect(hearer.judges).toBe(false);
    expect(leases).toEqual([]);
    bus.loses = () => true;
    await runtime.advance(4_000);
    expect(leases).toEqual(["one lapsed at 0", "one~2 lapsed at 5500"]);
  });

  it("does not count what may be lost, and keeps what is for another node to itself", async () => {
    const { runtime, bus, sender, heard, newDoubts } = stage();
    newDoubts();
    bus.loses = ({ message }) => message.kind === "signals";
    sender.send({ kind: "signals", channel: "a", signals: [] });
    sender.send({ kind: "roster-wanted" }, "three");
    await runtime.advance(1_000);
    expect(newDoubts()).toBe(0);
    expect(heard).toEqual([]);
    sender.send({ kind: "roster-wanted" }, "two");
    expect(heard).toEqual(["roster-wanted"]);
  });
});

describe("the bus within a process", () => {
  it("reaches all who listen, until they stop", () => {
    const bus = createInProcessBus();
    const heard: number[] = [];
    const stop = bus.listen(({ number }) => heard.push(number));
    bus.send({ node: "one", number: 1, message: { kind: "beacon" } });
    stop();
    bus.send({ node: "one", number: 2, message: { kind: "beacon" } });
    expect(heard).toEqual([1]);
  });
});
