import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { hashOf, Table } from "./table.ts";

/** Pairs of keys with one hash. */
const COLLISIONS = [
  ["item-198ncl73cyu", "item-3ktnec186ahz"],
  ["item-6yi5o40g6eg", "item-1dffw540xgno"],
  ["item-3claab1vp7by", "item-18so3l26u013"],
] as const;

/** Pairs of keys whose hashes differ in their two highest bits only: they part at the lowest level. */
const NEARLY = [
  ["kzc4", "k1zxy"],
  ["k11hf", "k284w"],
  ["k1ini", "k2jm7"],
] as const;

const key = fc.oneof(
  fc.constantFrom(...COLLISIONS.flat(), ...NEARLY.flat(), "", "__proto__", "constructor", "/", "a/b", "\ud800"),
  fc.nat({ max: 60 }).map(String),
  fc.string(),
);

const change = fc.record({ key, value: fc.option(fc.nat({ max: 3 }), { nil: undefined }) });

describe("keys for these tests", () => {
  it("collide where they should", () => {
    for (const [a, b] of COLLISIONS) expect(hashOf(a)).toBe(hashOf(b));
    for (const [a, b] of NEARLY) {
      expect((hashOf(a) ^ hashOf(b)) & 0x3fff_ffff).toBe(0);
      expect(hashOf(a)).not.toBe(hashOf(b));
    }
  });
});

describe("Table", () => {
  it("is what a Map is, after any changes, and leaves what it came from as it was", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 200, size: "max" }), (changes) => {
        const map = new Map<string, number>();
        let table = Table.empty<number>();
        const before: { table: Table<number>; entries: [string, number][] }[] = [];
        for (const [at, { key, value }] of changes.entries()) {
          if (at % 10 === 0) before.push({ table, entries: [...map] });
          if (value === undefined) map.delete(key);
          else map.set(key, value);
          table = at % 2 === 0 ? table.set(key, value as number) : table.update(key, () => value);
        }
        same(table, map);
        for (const { table: old, entries } of before) same(old, new Map(entries));
      }),
    );
  });

  it("has the order of its keys, whatever its history", () => {
    fc.assert(
      fc.property(
        fc.array(change, { maxLength: 100, size: "max" }),
        fc.array(fc.nat(), { maxLength: 100 }),
        (changes, draws) => {
          let table = Table.empty<number>();
          for (const { key, value } of changes) table = table.set(key, value as number);
          const left = [...table];
          const shuffled: [string, number][] = [];
          for (let at = 0; left.length > 0; at++) {
            const [entry] = left.splice((draws[at] ?? 0) % left.length, 1);
            if (entry) shuffled.push([...entry]);
          }
          expect([...Table.of(shuffled)]).toEqual([...table]);
        },
      ),
    );
  });

  it("goes on after any place, whether or not something is there", () => {
    fc.assert(
      fc.property(fc.uniqueArray(key, { maxLength: 80, size: "max" }), key, (keys, place) => {
        const table = Table.of(keys.map((name, index) => [name, index] as const));
        const entries = [...table];
        for (const [index, [name]] of entries.entries()) {
          expect([...table.after(name)]).toEqual(entries.slice(index + 1));
        }
        const all = [...table.set(place, -1).keys()];
        const rest = all.slice(all.indexOf(place) + 1);
        expect([...table.delete(place).after(place)].map(([name]) => name)).toEqual(rest);
        expect([...table.set(place, -1).after(place)].map(([name]) => name)).toEqual(rest);
      }),
    );
  });

  it("is itself where nothing changes", () => {
    const table = Table.of([
      ["a", 1],
      ["b", 2],
    ]);
    expect(table.set("a", 1)).toBe(table);
    expect(table.delete("c")).toBe(table);
    expect(table.update("b", (value) => value)).toBe(table);
    expect(table.delete("a").delete("b").size).toBe(0);
  });

  it("shares what a change does not touch: the time of a change does not grow with the rows", () => {
    const rows = 50_000;
    const large = Table.of(Array.from({ length: rows }, (_, index) => [`row-${index}`, { index }] as const));
    expect(large.size).toBe(rows);
    const changed = large.set("row-7", { index: -1 });
    let others = 0;
    for (const [name, value] of changed) if (large.get(name) === value) others++;
    expect(others).toBe(rows - 1);
    expect(large.get("row-7")).toEqual({ index: 7 });
    // Were each change a copy of all, this would be 2,500,000,000 steps.
    let table = large;
    for (let index = 0; index < rows; index++) table = table.set(`row-${index}`, { index });
    expect(table.size).toBe(rows);
  });
});

function same(table: Table<number>, map: Map<string, number>): void {
  expect(table.size).toBe(map.size);
  const entries = [...table];
  expect(new Map(entries)).toEqual(map);
  expect(entries.length).toBe(map.size);
  expect([...map.keys()].map((name) => table.get(name))).toEqual([...map.values()]);
  expect([...map.keys()].every((name) => table.has(name))).toBe(true);
  expect([...table.keys()]).toEqual(entries.map(([name]) => name));
  expect([...table.values()]).toEqual(entries.map(([, value]) => value));
}
