import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Piece } from "./pieces.ts";
import { Assembly, cutPiece } from "./pieces.ts";
import { Table } from "./table.ts";
import { canonical } from "./testing/comparison.ts";

const field = fc.stringMatching(/^[A-Za-z_$][A-Za-z0-9_$-]{0,8}$/).filter((name) => name !== "__proto__");
const json = fc.jsonValue({ noUnicodeString: false }).map((value): unknown => JSON.parse(JSON.stringify(value)));
const table = fc
  .array(fc.tuple(fc.oneof(fc.nat({ max: 99 }).map(String), fc.string()), json), { maxLength: 40, size: "max" })
  .map((entries) => Table.of(entries));
const state = fc
  .array(fc.tuple(field, fc.oneof(json, table)), { maxLength: 5 })
  .map((fields): Record<string, unknown> => Object.fromEntries(fields));
const budget = fc.integer({ min: 1, max: 400 });

/** All pieces, each cut from the `next` of the one before. */
function cut(whole: object, bytes: () => number): { pieces: Piece[]; marks: (string | undefined)[] } {
  const pieces: Piece[] = [];
  const marks: (string | undefined)[] = [undefined];
  for (;;) {
    const { json: text, next } = cutPiece(whole, marks.at(-1), bytes());
    pieces.push(JSON.parse(text));
    if (next === undefined) return { pieces, marks };
    marks.push(next);
    if (marks.length > 10_000) throw new Error("no end");
  }
}

function assembled(pieces: readonly Piece[]): unknown {
  const assembly = new Assembly<object>();
  for (const piece of pieces) assembly.add(piece);
  return assembly.state;
}

describe("a state in pieces", () => {
  it("comes together again, whatever the state and the sizes of its pieces", () => {
    fc.assert(
      fc.property(state, fc.array(budget, { minLength: 1 }), (whole, budgets) => {
        let at = 0;
        const { pieces } = cut(whole, () => budgets[at++ % budgets.length] ?? 1);
        expect(canonical(assembled(pieces))).toBe(canonical(whole));
      }),
    );
  });

  it("can be gone on with from any mark, also with pieces of another size", () => {
    fc.assert(
      fc.property(state, budget, budget, fc.nat(), (whole, first, second, draw) => {
        const { pieces, marks } = cut(whole, () => first);
        const from = draw % marks.length;
        const rest: Piece[] = [];
        for (let after = marks[from], more = true; more; ) {
          const { json: text, next } = cutPiece(whole, after, second);
          rest.push(JSON.parse(text));
          after = next;
          more = next !== undefined;
        }
        expect(canonical(assembled([...pieces.slice(0, from), ...rest]))).toBe(canonical(whole));
      }),
    );
  });

  it("has no piece that is longer than its size and one entry, and each brings something", () => {
    fc.assert(
      fc.property(state, budget, (whole, bytes) => {
        const { pieces } = cut(whole, () => bytes);
        for (const piece of pieces.slice(1)) {
          if (!("entries" in piece)) throw new Error("one head");
          expect(piece.entries.length).toBeGreaterThan(0);
          const lengths = piece.entries.map((entry) => JSON.stringify(entry).length);
          const last = lengths.pop() ?? 0;
          expect(lengths.reduce((sum, length) => sum + length, 0)).toBeLessThan(bytes);
          expect(last).toBeGreaterThan(0);
        }
      }),
    );
  });

  it("says what is there so far", () => {
    const whole = { title: "x", rows: Table.of([["a", 1]]), more: Table.empty<number>() };
    const { pieces } = cut(whole, () => 1);
    const assembly = new Assembly<typeof whole>();
    expect(assembly.state).toBeUndefined();
    assembly.add(pieces[0] as Piece);
    expect(assembly.state?.title).toBe("x");
    expect([assembly.state?.rows.size, assembly.state?.more.size]).toEqual([0, 0]);
    const before = assembly.state;
    assembly.add(pieces[1] as Piece);
    expect([assembly.state?.rows.get("a"), before?.rows.size]).toEqual([1, 0]);
  });

  it("does not take a piece where it does not belong", () => {
    const assembly = new Assembly<object>();
    expect(() => assembly.add({ table: "rows", entries: [] })).toThrow(RangeError);
    assembly.add({ head: { n: 1 }, tables: ["rows"] });
    expect(() => assembly.add({ head: {}, tables: [] })).toThrow(RangeError);
    expect(() => assembly.add({ table: "n", entries: [] })).toThrow(RangeError);
    expect(() => assembly.add({ table: "constructor", entries: [] })).toThrow(RangeError);
  });

  it("ends where a mark names what is not there", () => {
    const whole = { rows: Table.of([["a", 1]]) };
    expect(cutPiece(whole, "gone/a", 10)).toEqual({ json: '{"table":"gone","entries":[]}', next: undefined });
    expect(cutPiece(whole, "rows/a", 10)).toEqual({ json: '{"table":"rows","entries":[]}', next: undefined });
  });
});
