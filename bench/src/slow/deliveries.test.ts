import { jsonCodec } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import { Deliveries } from "./deliveries.ts";

const events = (from: number, to: number) => ({ type: "events", channel: "feed:1", from, to, tag: "t", events: [] });

/** Deliveries of messages that hold so many events each. */
function deliveriesOf(sizes: readonly number[]): Deliveries {
  const deliveries = new Deliveries(20);
  for (const size of sizes) deliveries.take(Buffer.from(jsonCodec.join([jsonCodec.encode(events(7, 7 + size))])));
  return deliveries;
}

describe("Deliveries", () => {
  it("counts each time that pieces of many commits follow on live ones", () => {
    expect(deliveriesOf([1, 2, 1]).switches).toBe(0);
    expect(deliveriesOf([1, 70, 70, 12, 1, 64, 1]).switches).toBe(2);
  });
});
