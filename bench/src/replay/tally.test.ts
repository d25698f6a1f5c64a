import { describe, expect, it } from "vitest";
import { sumOf, tallyOf } from "./tally.ts";

describe("tallyOf", () => {
  it("finds nothing where each transaction is there once", () => {
    expect(
      tallyOf(
        new Map([
          [1, 1],
          [0, 1],
        ]),
        2,
      ),
    ).toEqual({ lost: 0, duplicated: 0 });
  });

  it("counts what is missing, what is there twice, and what was never published", () => {
    expect(
      tallyOf(
        new Map([
          [0, 3],
          [7, 1],
        ]),
        3,
      ),
    ).toEqual({ lost: 2, duplicated: 3 });
  });

  it("adds up", () => {
    const one = { lost: 1, duplicated: 2 };
    expect(sumOf([one, one])).toEqual({ lost: 2, duplicated: 4 });
  });
});
