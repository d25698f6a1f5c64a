import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CreditWindow } from "./credit-window.ts";

const FIRST = 131_072;
const FRAME = 16_384;

/** Keeps the window full over a way of `rate` bytes a millisecond and `delay` milliseconds there and back. */
function keepFull(window: CreditWindow, rate: number, delay: number, frames: number): void {
  const on: number[] = [];
  let now = 0;
  let free = 0;
  let acknowledged = window.sent;
  for (let done = 0; done < frames; done++) {
    while (window.onTheWay + FRAME <= window.size || on.length === 0) {
      free = Math.max(free, now) + FRAME / rate;
      on.push(free + delay);
      window.send(FRAME, now);
    }
    now = on.shift() ?? now;
    window.acknowledge(++acknowledged, now, true);
  }
}

describe("the credit window", () => {
  it("G13: shrinks for a reader of 1 KB/s, so that little is queued before an alert", () => {
    const window = new CreditWindow(FIRST);
    keepFull(window, 1, 40, 40);
    expect(window.size).toBeLessThan(FIRST / 3);
  });

  it("grows for a fast reader far away, so that distance does not hold it back", () => {
    const window = new CreditWindow(FIRST);
    keepFull(window, 10_000, 200, 400);
    expect(window.size).toBe(FIRST * 4);
  });

  it("stays as it is while nobody waits for room", () => {
    const window = new CreditWindow(FIRST);
    for (let frame = 1; frame <= 50; frame++) {
      window.send(100, frame * 1_000);
      window.acknowledge(frame, frame * 1_000 + 500, false);
    }
    expect(window.size).toBe(FIRST);
  });

  it("refuses what was never sent, and what counts backwards", () => {
    const window = new CreditWindow(FIRST);
    window.send(10, 0);
    window.send(10, 0);
    expect(window.acknowledge(3, 1, true)).toBeUndefined();
    expect(window.acknowledge(2, 1, true)).toBe(2);
    expect(window.acknowledge(1, 1, true)).toBeUndefined();
    expect(window.acknowledge(2, 1, true)).toBe(0);
  });

  it("G11: holds its bounds and counts every byte once, whatever is sent and acknowledged", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(40_000), fc.nat(5), fc.nat(1_000), fc.boolean()), { maxLength: 100 }),
        (steps) => {
          const window = new CreditWindow(FIRST);
          const sizes: number[] = [];
          let now = 0;
          let done = 0;
          for (const [bytes, acknowledged, pause, limited] of steps) {
            window.send(bytes, now);
            sizes.push(bytes);
            now += pause;
            done = Math.min(sizes.length, done + acknowledged);
            window.acknowledge(done, now, limited);
            expect(window.onTheWay).toBe(sizes.slice(done).reduce((sum, size) => sum + size, 0));
            expect(window.size).toBeGreaterThanOrEqual(FIRST / 4);
            expect(window.size).toBeLessThanOrEqual(FIRST * 4);
          }
        },
      ),
    );
  });
});
