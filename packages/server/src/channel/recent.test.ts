import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SharedEvent } from "../delivery/shared-event.ts";
import { cutAtRun, Recent } from "./recent.ts";

/** Events 1, 2, 3… in runs of these lengths. */
function eventsOf(runs: readonly number[], bytes = 10): SharedEvent[] {
  const events: SharedEvent[] = [];
  for (const length of runs) {
    const run = events.length + 1;
    for (let at = 0; at < length; at++) {
      const offset = events.length + 1;
      const stored = {
        offset,
        id: `i${offset}`,
        type: "t",
        version: 1,
        time: 1,
        author: undefined,
        trace: undefined,
        data: "x".repeat(bytes),
      };
      events.push(new SharedEvent(stored, `t${offset}`, run));
    }
  }
  return events;
}

function remembered(events: readonly SharedEvent[], bounds = { events: 20, bytes: 1_000_000 }): Recent {
  const recent = new Recent({ epoch: "e", offset: 0, tag: "" }, bounds);
  for (const event of events) recent.push(event);
  return recent;
}

const runs = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 30 });
const offsets = (events: readonly SharedEvent[] | undefined) => events?.map(({ stored }) => stored.offset);
const upTo = (from: number, to: number) => Array.from({ length: to - from }, (_, at) => from + 1 + at);

describe("recent events", () => {
  it("G3: reach without a gap from their floor to the head, with the tag of every position", () => {
    fc.assert(
      fc.property(runs, (lengths) => {
        const events = eventsOf(lengths);
        const recent = remembered(events);
        const { offset: floor } = recent.floor;
        expect(offsets(recent.after(floor, 1_000_000))).toEqual(upTo(floor, events.length));
        for (let offset = floor; offset <= events.length; offset++) {
          expect(recent.tagAt(offset)).toBe(offset === 0 ? "" : `t${offset}`);
        }
        expect(recent.tagAt(floor - 1)).toBeUndefined();
        expect(recent.tagAt(events.length + 1)).toBeUndefined();
        expect(recent.after(floor - 1, 10)).toBeUndefined();
      }),
    );
  });

  it("G11: are bounded by count and by bytes", () => {
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 500 }), (lengths, bytes) => {
        const events = eventsOf(lengths, bytes);
        const recent = remembered(events, { events: 20, bytes: 2_000 });
        const kept = events.slice(recent.floor.offset);
        expect(kept.length).toBeLessThanOrEqual(25);
        expect(kept.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(2_500);
      }),
    );
  });

  it("a page holds whole runs, all that was asked for, and nothing that is not remembered", () => {
    fc.assert(
      fc.property(runs, fc.nat({ max: 40 }), fc.integer({ min: 1, max: 30 }), (lengths, ahead, limit) => {
        const events = eventsOf(lengths);
        const recent = remembered(events);
        const before = Math.max(1, events.length + 1 - ahead);
        const page = recent.before(before, limit);
        if (!page) return;
        expect(page.length).toBeGreaterThanOrEqual(limit);
        expect(page[0]?.run).toBe(page[0]?.stored.offset);
        expect(offsets(page)).toEqual(upTo((page[0]?.stored.offset ?? 0) - 1, before - 1));
        expect(page[0]?.stored.offset).toBeGreaterThan(recent.floor.offset);
      }),
    );
  });

  it("what was trimmed is forgotten", () => {
    const recent = remembered(eventsOf([1, 2, 3]));
    recent.forgetTo(3);
    expect(recent.floor).toEqual({ epoch: "e", offset: 3, tag: "t3" });
    expect(offsets(recent.after(3, 1_000))).toEqual([4, 5, 6]);
    recent.forgetTo(2);
    expect(recent.floor.offset).toBe(3);
  });
});

describe("a cut", () => {
  it("takes one run at least, whole runs only, and no more bytes than asked once it has one", () => {
    fc.assert(
      fc.property(runs, fc.nat({ max: 2_000 }), (lengths, bytes) => {
        const events = eventsOf(lengths);
        for (let start = 0; start < events.length; ) {
          const end = cutAtRun(events, start, bytes);
          expect(end).toBeGreaterThan(start);
          if (end < events.length) expect(events[end]?.run).toBe(end + 1);
          start = end;
        }
      }),
    );
  });
});
