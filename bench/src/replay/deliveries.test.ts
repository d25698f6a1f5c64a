import { beforeEach, describe, expect, it } from "vitest";
import { Deliveries } from "./deliveries.ts";

let deliveries: Deliveries;

const position = (offset: number) => ({ epoch: "e", offset, tag: "t" });
const events = (from: number, to: number, indexes: readonly number[]) =>
  ({
    type: "events",
    channel: "text:1",
    from,
    to,
    tag: "t",
    events: indexes.map((index, at) => ({ offset: from + 1 + at, id: "i", type: "edit", time: 1, data: { index } })),
  }) as const;

beforeEach(() => {
  deliveries = new Deliveries(() => ({ send() {}, close() {} }));
  deliveries.take({ type: "subscribed", id: 1, channel: "text:1", position: position(0), head: 0 });
});

describe("Deliveries", () => {
  it("counts each transaction, also what comes twice", () => {
    deliveries.take(events(0, 2, [0, 1]));
    deliveries.take(events(2, 3, [1]));
    expect([...deliveries.counts]).toEqual([
      [0, 1],
      [1, 2],
    ]);
    expect(deliveries.breaks).toBe(0);
  });

  it("goes on from where the next connection begins", () => {
    deliveries.take(events(0, 2, [0, 1]));
    deliveries.take({ type: "subscribed", id: 1, channel: "text:1", position: position(2), head: 4 });
    deliveries.take(events(2, 4, [2, 3]));
    expect(deliveries.breaks).toBe(0);
  });

  it("notices a hole, an overlap, a range that lacks events, and a reset", () => {
    deliveries.take(events(1, 2, [1]));
    expect(deliveries.breaks).toBe(1);
    deliveries.take(events(1, 2, [1]));
    expect(deliveries.breaks).toBe(2);
    deliveries.take(events(2, 5, [2]));
    expect(deliveries.breaks).toBe(3);
    deliveries.take({ type: "reset", channel: "text:1", position: position(9), reason: "trimmed" });
    expect(deliveries.breaks).toBe(4);
  });
});
