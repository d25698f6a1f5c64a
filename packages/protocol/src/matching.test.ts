import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { Filter } from "./filter.ts";
import { FilterSchema, filterKey } from "./filter.ts";
import { matcherOf } from "./matching.ts";

const event = (data: unknown, type = "raised") => ({ type, data });

describe("a filter", () => {
  it.each<[string, Filter, unknown[], unknown[]]>([
    ["a text", { where: { zone: "north" } }, [{ zone: "north" }], [{ zone: "North" }, { zone: ["north"] }, {}]],
    ["a number", { where: { n: 0 } }, [{ n: 0 }, { n: -0 }], [{ n: "0" }, { n: false }, { n: null }]],
    ["null", { where: { n: null } }, [{ n: null }], [{}, { n: 0 }, { n: {} }]],
    ["one of a set", { where: { n: { in: [1, "1", null] } } }, [{ n: 1 }, { n: "1" }, { n: null }], [{ n: 2 }, {}]],
    ["a range", { where: { n: { min: 1, max: 3 } } }, [{ n: 1 }, { n: 3 }], [{ n: 0.9 }, { n: 3.1 }, { n: "2" }, {}]],
    ["a range without end", { where: { n: { min: 1 } } }, [{ n: 1e9 }], [{ n: 0 }, { n: null }]],
    ["a range without beginning", { where: { n: { max: 1 } } }, [{ n: -1e9 }], [{ n: 2 }]],
    ["all conditions", { where: { a: 1, b: 2 } }, [{ a: 1, b: 2, c: 3 }], [{ a: 1 }, { b: 2 }, { a: 1, b: 3 }]],
  ])("D11: takes %s", (_, filter, met, missed) => {
    expect(v.is(FilterSchema, filter)).toBe(true);
    const matches = matcherOf(filter);
    for (const data of met) expect([data, matches(event(data))]).toEqual([data, true]);
    for (const data of [...missed, null, undefined, 1, "text", [], [1]]) {
      expect([data, matches(event(data))]).toEqual([data, false]);
    }
  });

  it("D11: by event type looks into no payload", () => {
    const matches = matcherOf({ types: ["raised", "cleared"] });
    expect([event(null), event(1, "cleared"), event(1, "note")].map(matches)).toEqual([true, true, false]);
    const blind = { type: "note", data: undefined, touched: false };
    Object.defineProperty(blind, "data", { get: () => (blind.touched = true) });
    matcherOf({ types: ["raised"], where: { n: 1 } })(blind);
    expect(blind.touched).toBe(false);
  });

  it.each([
    [{}],
    [{ types: [] }],
    [{ where: { "a.b": 1 } }],
    [{ where: { a: { in: [] } } }],
    [{ where: { a: {} } }],
    [{ where: { a: { min: 1, eq: 2 } } }],
    [{ where: { a: [1] } }],
    [{ where: { a: { min: Number.NaN } } }],
    [{ where: Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`f${at}`, at])) }],
    [{ types: ["a"], code: "return true" }],
  ])("D11: %o is none", (filter) => {
    expect(v.is(FilterSchema, filter)).toBe(false);
  });
});

describe("a filter's key", () => {
  it("is one for those that say the same, and another for each that does not", () => {
    const key = filterKey({ types: ["b", "a"], where: { x: 1, y: { in: ["2", 1] }, z: { max: 3, min: 2 } } });
    expect(filterKey({ where: { z: { min: 2, max: 3 }, y: { in: [1, "2"] }, x: 1 }, types: ["a", "b"] })).toBe(key);
    const others: Filter[] = [
      { types: ["a"] },
      { types: ["a"], where: { a: 1 } },
      { where: { a: 1 } },
      { where: { a: "1" } },
      { where: { a: null } },
      { where: { a: { in: [1] } } },
      { where: { a: { in: ["1"] } } },
      { where: { a: { min: 1 } } },
      { where: { a: { max: 1 } } },
      { where: { b: 1 } },
    ];
    expect(new Set(others.map(filterKey)).size).toBe(others.length);
  });
});
