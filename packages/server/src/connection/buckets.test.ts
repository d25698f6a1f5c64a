import { array, assert, double, integer, property, record } from "fast-check";
import { describe, expect, it } from "vitest";
import { Buckets, draw } from "./buckets.ts";

const PERIOD_MS = 1_000;

const draws = array(
  record({ after: double({ min: 0, max: 3_000, noNaN: true }), count: integer({ min: 1, max: 20 }) }),
  {
    maxLength: 200,
  },
);

describe("a bucket", () => {
  it("G11: never gives more than it holds, and what comes to it since, in any stretch of time", () => {
    assert(
      property(integer({ min: 1, max: 500 }), draws, (most, tries) => {
        const given: { readonly at: number; readonly count: number }[] = [];
        let [now, fullAt] = [0, 0];
        for (const { after, count } of tries) {
          now += after;
          const drawn = draw(fullAt, count, most, PERIOD_MS, now);
          fullAt = drawn.fullAt;
          if (drawn.wait === 0) given.push({ at: now, count: Math.min(count, most) });
        }
        for (let from = 0; from < given.length; from++) {
          let sum = 0;
          for (const { at, count } of given.slice(from)) {
            sum += count;
            const since = at - (given[from]?.at ?? 0);
            expect(sum).toBeLessThanOrEqual(most * (1 + since / PERIOD_MS) + 0.01 * given.length);
          }
        }
      }),
    );
  });

  it("W8: gives to everyone who waits as long as it said, and not one who comes much before", () => {
    assert(
      property(integer({ min: 1, max: 500 }), draws, (most, tries) => {
        let [now, fullAt] = [0, 0];
        for (const { after, count } of tries) {
          now += after;
          const { wait, ...drawn } = draw(fullAt, count, most, PERIOD_MS, now);
          if (wait > 0) {
            expect(drawn.fullAt).toBe(fullAt);
            expect(draw(fullAt, count, most, PERIOD_MS, now + wait).wait).toBe(0);
            // No longer than until a tenth of a bucket is there, or as much as was asked for.
            const share = Math.max(Math.min(count / most, 1), 0.1);
            expect(draw(fullAt, share * most, most, PERIOD_MS, now + wait - 2).wait).toBeGreaterThan(0);
          }
          fullAt = drawn.fullAt;
        }
      }),
    );
  });

  it("is full after the whole period without a draw", () => {
    const { fullAt } = draw(0, 10, 10, PERIOD_MS, 5_000);
    expect(draw(fullAt, 1, 10, PERIOD_MS, 5_000).wait).toBe(100);
    expect(draw(fullAt, 10, 10, PERIOD_MS, 5_999).wait).toBe(1);
    expect(draw(fullAt, 10, 10, PERIOD_MS, 6_000).wait).toBe(0);
  });
});

describe("the buckets of many", () => {
  it("G11: are bounded, the least recently used goes first", () => {
    const buckets = new Buckets(3);
    for (const [at, name] of ["a", "b", "c", "a", "d"].entries()) buckets.keep(name, 1_000 + at, 0);
    expect(buckets.size).toBe(3);
    expect(["a", "b", "c", "d"].map((name) => buckets.fullAt(name))).toEqual([1_003, 0, 1_002, 1_004]);
  });

  it("G11: are forgotten when they are full again", () => {
    const buckets = new Buckets();
    for (let at = 0; at < 1_000; at++) buckets.keep(`${at}`, 500, 0);
    buckets.keep("late", 2_000, 1_000);
    expect(buckets.size).toBe(1);
  });
});
