import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fullJitter } from "./backoff.ts";

describe("full jitter", () => {
  it("waits a share of a cap that doubles, and never longer than the longest", () => {
    expect([0, 1, 2, 3, 4, 5, 6].map((attempt) => fullJitter(attempt, 0.5))).toEqual([
      500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000,
    ]);
  });

  it("G11: is bounded whatever the attempt", () => {
    fc.assert(
      fc.property(fc.nat(), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const wait = fullJitter(attempt, random, 100, 2_000);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThanOrEqual(2_000);
        expect(Number.isInteger(wait)).toBe(true);
      }),
    );
  });
});
