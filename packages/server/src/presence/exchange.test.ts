import { describe, expect, it } from "vitest";
import type { BusMessage, Envelope } from "../bus/bus.ts";
import { BusLine } from "../bus/line.ts";
import type { PresenceWord } from "../bus/presence.ts";
import { LossyBus } from "../cluster.fixture.ts";
import { VirtualRuntime } from "../connection/runtime.fixture.ts";
import { Exchange } from "./exchange.ts";

const place = { connection: 1, turn: 1, lease: 1, phase: "here", since: 1 } as const;

/** A node that asks, and one that knows of so many devices. */
function stage(devices: number) {
  const runtime = new VirtualRuntime();
  const bus = new LossyBus();
  const retained: number[] = [];
  const exchangeOf = (name: string, words: readonly PresenceWord[]) => {
    const line = new BusLine(bus, name, runtime);
    const exchange = new Exchange({
      runtime,
      line,
      words: () => words.map((word, at) => [`acme/room:${at % 3}`, word] as const),
      retain: (_, named) => retained.push([...named.values()].reduce((sum, set) => sum + set.size, 0)),
    });
    line.listen({
      message: (message: BusMessage, { node }) => {
        if (message.kind === "roster-wanted") exchange.answer(node);
        if (message.kind === "roster") exchange.told(node, message);
      },
    });
    line.start();
    return { exchange, line };
  };
  const words = Array.from({ length: devices }, (_, at) => {
    return { device: `d${at}`, user: "ada", seq: 1, activity: "active", place } as const;
  });
  const { exchange: asking } = exchangeOf("asking", []);
  const { line } = exchangeOf("knowing", words);
  const speak = () => line.send({ kind: "presence", channel: "acme/room:1", words: [] });
  return { runtime, bus, asking, retained, speak };
}

describe("what nodes tell each other when they doubt", () => {
  it("R10: is told a page at a time, and counts when all pages have come", async () => {
    const { runtime, bus, asking, retained } = stage(1_200);
    const pages: number[] = [];
    bus.listen(({ message }) => message.kind === "roster" && pages.push(message.page));
    asking.ask("knowing", 0);
    await runtime.settle();
    expect(pages).toEqual([0, 1, 2]);
    expect(retained).toEqual([1_200]);
  });

  it("R10: is asked for again when a page is lost", async () => {
    const { runtime, bus, asking, retained } = stage(1_200);
    let lost = 0;
    bus.loses = ({ message }) => message.kind === "roster" && message.page === 1 && lost++ === 0;
    asking.ask("knowing", 0);
    asking.ask("knowing", 0);
    await runtime.settle();
    expect(retained).toEqual([]);
    await runtime.advance(1_000);
    expect(retained).toEqual([1_200]);
  });

  it("R10: is asked for again when what was told is of before what was missed", async () => {
    const { runtime, bus, asking, retained, speak } = stage(10);
    // The answer to an earlier question is still under way.
    const late: Envelope[] = [];
    bus.loses = (envelope) => envelope.message.kind === "roster" && late.push(envelope) > 0;
    asking.ask("knowing", 0);
    await runtime.settle();
    expect(late).toHaveLength(1);
    bus.loses = ({ message }) => message.kind === "presence" || message.kind === "roster-wanted";
    speak();
    asking.ask("knowing", 1);
    for (const envelope of late) bus.send(envelope);
    await runtime.settle();
    bus.loses = () => false;
    await runtime.advance(500);
    // What it tells counts as of when it was told…
    expect(retained).toEqual([10]);
    await runtime.advance(1_000);
    // …and it is asked until it has told what was missed.
    expect(retained).toEqual([10, 10]);
    await runtime.advance(5_000);
    expect(retained).toEqual([10, 10]);
  });

  it("R10: is not asked of a node that is not there any more", async () => {
    const { runtime, bus, asking } = stage(1);
    const sent: string[] = [];
    bus.loses = ({ message }) => message.kind !== "beacon" && sent.push(message.kind) > 0;
    asking.ask("knowing", 0);
    asking.forget("knowing");
    await runtime.advance(5_000);
    expect(sent).toEqual(["roster-wanted"]);
  });
});
