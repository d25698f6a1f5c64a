import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Sequence } from "./sequence.ts";
import { appended, changed, emptySequence, inOrder } from "./sequence.ts";

interface Word {
  readonly n: number;
  readonly word: string;
}

function filled(count: number, keep: number, from: Sequence<Word> = emptySequence<Word>()): Sequence<Word> {
  let sequence = from;
  for (let at = 0; at < count; at++) {
    const n = sequence.last + 1;
    sequence = appended<Word>(sequence, `id-${n}`, { word: `word ${n}` }, keep);
  }
  return sequence;
}

describe("a sequence", () => {
  it("keeps the newest, numbered from 1, in the order in which they came", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 12 }), (count, keep) => {
        const sequence = filled(count, keep);
        const first = Math.max(1, count - keep + 1);
        const numbers = Array.from({ length: Math.min(count, keep) }, (_, at) => first + at);
        expect(inOrder(sequence)).toEqual(numbers.map((n) => ({ n, word: `word ${n}` })));
        expect(new Map(sequence.order)).toEqual(new Map(numbers.map((n) => [String(n), `id-${n}`])));
        expect(sequence.last).toBe(count);
      }),
    );
  });

  it("lets go of all that is over where fewer are kept than before", () => {
    const sequence = filled(1, 3, filled(10, 10));
    expect(inOrder(sequence).map(({ n }) => n)).toEqual([9, 10, 11]);
    expect(sequence.order.size).toBe(3);
  });

  it("changes one that is there, and nothing where it is not", () => {
    const sequence = filled(3, 2);
    expect(changed(sequence, "id-1", (item) => ({ ...item, word: "x" }))).toBe(sequence);
    expect(inOrder(changed(sequence, "id-2", (item) => ({ ...item, word: "x" })))).toEqual([
      { n: 2, word: "x" },
      { n: 3, word: "word 3" },
    ]);
  });

  it("is the same list for the same items", () => {
    const sequence = filled(3, 2);
    expect(inOrder({ items: sequence.items })).toBe(inOrder(sequence));
  });
});
