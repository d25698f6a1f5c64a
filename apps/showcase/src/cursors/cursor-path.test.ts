import { describe, expect, it } from "vitest";
import { CursorPath } from "./cursor-path.ts";

describe("a pointer's path", () => {
  it("goes evenly from place to place, in the time that lay between the last two", () => {
    const path = new CursorPath({ x: 0, y: 0 }, 1_000);
    path.moveTo({ x: 1, y: 0.5 }, 1_100, true);
    expect([path.x(1_100), path.x(1_150), path.x(1_200), path.x(9_999)]).toEqual([0, 0.5, 1, 1]);
    expect(path.y(1_150)).toBe(0.25);
    // A place that comes early begins where it is then.
    path.moveTo({ x: 0, y: 0 }, 1_150, true);
    expect([path.x(1_150), path.x(1_175), path.x(1_200)]).toEqual([0.5, 0.25, 0]);
  });

  it("is never later than a quarter of a second", () => {
    const path = new CursorPath({ x: 0, y: 0 }, 0);
    path.moveTo({ x: 1, y: 1 }, 3_000, true);
    expect(path.x(3_250)).toBe(1);
  });

  it("jumps where it was not shown, and for who wants no motion", () => {
    const rested = new CursorPath({ x: 0, y: 0 }, 0);
    expect([rested.isShown(4_999), rested.isShown(5_000)]).toEqual([true, false]);
    rested.moveTo({ x: 1, y: 1 }, 6_000, true);
    expect([rested.x(6_000), rested.isShown(6_000)]).toEqual([1, true]);
    const calm = new CursorPath({ x: 0, y: 0 }, 0);
    calm.moveTo({ x: 1, y: 1 }, 100, false);
    expect(calm.x(100)).toBe(1);
  });
});
