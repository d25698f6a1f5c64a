import { describe, expect, it } from "vitest";
import { inTurns, median, medians } from "./rounds.ts";

describe("inTurns", () => {
  it("alternates the systems, begins each turn with another one, and takes medians", async () => {
    const order: string[] = [];
    let value = 0;
    const round = (name: string) => async () => {
      order.push(name);
      return { figure: ++value };
    };
    const found = await inTurns({ a: round("a"), b: round("b") }, 3, () => {});
    expect(order).toEqual(["a", "b", "b", "a", "a", "b"]);
    expect(found).toEqual({ a: { figure: 4 }, b: { figure: 3 } });
  });
});

describe("median", () => {
  it("is the middle one, or the mean of the middle two", () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([1, 2, 10, 4])).toBe(3);
  });

  it("is taken of each figure by itself", () => {
    expect(
      medians([
        { a: 1, b: 9 },
        { a: 3, b: 8 },
        { a: 2, b: 7 },
      ]),
    ).toEqual({ a: 2, b: 8 });
  });
});
