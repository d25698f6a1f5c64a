import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Latest } from "./latest.ts";

type Step = { readonly kind: "set" | "delete"; readonly key: string } | { readonly kind: "tick" | "look" };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("set", "delete"), key: fc.constantFrom("a", "b", "c", "d") }),
  fc.record({ kind: fc.constantFrom("tick", "look") }),
);

describe("a map in which the latest value wins", () => {
  it("R1: who is told what changed since the tick it knows has what the map holds, however seldom it looks", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ticks = { now: 0, isDue: false };
        const map = new Latest<number>(ticks);
        const truth = new Map<string, number>();
        const seen = new Map<string, number>();
        let upTo = 0;
        const look = () => {
          map.since(upTo, (key, value) => (value === undefined ? seen.delete(key) : seen.set(key, value)));
          upTo = ticks.now;
        };
        let value = 0;
        for (const one of steps) {
          if (one.kind === "set") {
            map.set(one.key, ++value);
            truth.set(one.key, value);
          } else if (one.kind === "delete") {
            map.delete(one.key);
            truth.delete(one.key);
          } else if (one.kind === "tick") ticks.now++;
          else look();
        }
        ticks.now++;
        look();
        expect(new Map([...seen].sort())).toEqual(new Map([...truth].sort()));
      }),
    );
  });

  it("G11: remembers so many of those that are gone, and says when that is too few", () => {
    const ticks = { now: 0, isDue: false };
    const map = new Latest<number>(ticks);
    for (let n = 0; n < 300; n++) {
      map.set(`k${n}`, n);
      map.delete(`k${n}`);
      ticks.now++;
    }
    expect(map.reaches(0)).toBe(false);
    expect(map.reaches(100)).toBe(true);
    const gone: string[] = [];
    map.since(100, (key) => gone.push(key));
    expect(gone).toHaveLength(200);
  });
});
