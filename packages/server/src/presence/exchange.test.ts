import { describe, expect, it } from "vitest";
import type { BusMessage } from "../bus/bus.ts";
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
    return exchange;
  };
  const words = Array.from({ length: devices }, (_, at) => {
    return { device: `d${at}`, user: "ada", seq: 1, activity: "active", place } as const;
  });
  const asking = exchangeOf("asking", []);
  exchangeOf("knowing", words);
  return { runtime, bus, asking, retained };
}

describe("what nodes tell each other when they doubt", () => {
  it("R10: is told a page at a time, and counts when all pages have come", async () => {
    const { runtime, bus, asking, retained } = stage(1_200);
    const pages: number[] = [];
    bus.listen(({ message }) => message.kind === "roster" && pages.push(message.page));
    asking.ask("knowing");
    await runtime.settle();
    expect(pages).toEqual([0, 1, 2]);
    expect(retained).toEqual([1_200]);
  });

  it("R10: is asked for again when a page is lost, or when there is a doubt meanwhile", async () => {
    const { runtime, bus, asking, retained } = stage(1_200);
    let lost = 0;
    bus.loses = ({ message }) => message.kind === "roster" && message.page === 1 && lost++ === 0;
    asking.ask("knowing");
    asking.ask("knowing");
    await runtime.settle();
    expect(retained).toEqual([]);
    await runtime.advance(1_000);
    expect(retained).toEqual([1_200]);
    asking.ask("knowing");
    asking.ask("knowing");
    await runtime.settle();
    expect(retained).toHaveLength(3);
  });

  it("R10: is not asked of a node that is not there any more", async () => {
    const { runtime, bus, asking } = stage(1);
    const sent: string[] = [];
    bus.loses = ({ message }) => message.kind !== "beacon" && sent.push(message.kind) > 0;
    asking.ask("knowing");
    asking.forget("knowing");
    await runtime.advance(5_000);
    expect(sent).toEqual(["roster-wanted"]);
  });
});
