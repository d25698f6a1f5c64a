import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Place, PresenceWord } from "../bus/presence.ts";
import { Roster } from "./roster.ts";

const device = "device------";

function word(place: Partial<Place> | undefined, more: Partial<PresenceWord> = {}): PresenceWord {
  const full: Place = { connection: 1, turn: 1, lease: 1, phase: "here", since: 7, ...place };
  return { device, user: "ada", seq: 1, activity: "active", ...more, ...(place ? { place: full } : {}) };
}

/** A roster, what it shows now, and how many entries there is room for. */
function roster(room = 100, kept = 0) {
  const budget = { left: room, kept };
  const shown = new Map<string, string>();
  const made = new Roster(budget, ({ device: name, status, state, place }) => {
    if (status === undefined) shown.delete(name);
    else shown.set(name, `${status} ${state} on ${place.connection} of ${place.node}`);
  });
  return {
    made,
    shown,
    budget,
    tell: (said: PresenceWord, node = "n1", number = 1, at = 0) => made.apply(said, { node, number, at }),
  };
}

describe("a roster", () => {
  it("R2: comes to the same whatever way the words took: late, twice, in any order", () => {
    const words: readonly (readonly [PresenceWord, string])[] = [
      [word({}, { seq: 1, state: "1" }), "n1"],
      [word(undefined, { seq: 3, state: "3" }), "n3"],
      [word({ phase: "lost", lostFor: 0 }, { seq: 1, state: "1" }), "n1"],
      [word({ connection: 2, turn: 4 }, { seq: 4, state: "4" }), "n2"],
      [word({ connection: 2, turn: 4, phase: "left" }, { seq: 4, state: "4" }), "n2"],
      [word({ connection: 2, turn: 6 }, { seq: 6, state: "6" }), "n2"],
      [word({ connection: 2, turn: 6, lease: 2 }, { seq: 6, state: "6" }), "n2~2"],
      [word({ connection: 1, turn: 1, phase: "left" }, { seq: 1, state: "1" }), "n1"],
    ];
    fc.assert(
      fc.property(fc.shuffledSubarray([...words.keys(), ...words.keys()], { minLength: 0, maxLength: 16 }), (order) => {
        const { made, shown, tell } = roster();
        for (const at of order) {
          const [said, node] = words[at] ?? [];
          if (said && node) tell(said, node);
        }
        // A state alone names nobody: then the words with a place come again.
        for (const [said, node] of words) tell(said, node);
        expect(made.present(device)).toMatchObject({ state: "6", place: { connection: 2, node: "n2~2" } });
        expect([...shown.values()]).toEqual([expect.stringMatching(/^active 6 on 2 of n2/)]);
      }),
    );
  });

  it("R2: takes a higher connection for the newer one, whatever its client said last", () => {
    const { shown, tell } = roster();
    tell(word({ connection: 2, turn: 3 }, { seq: 3, state: "3" }), "n2");
    expect(tell(word({ connection: 1, turn: 9, phase: "left" }, { seq: 9, state: "9" }), "n1")).toBe(true);
    expect([...shown.values()]).toEqual(["active 9 on 2 of n2"]);
  });

  it("R5: knows a device as one user's", () => {
    const { shown, tell } = roster();
    tell(word({}));
    expect(tell(word({ connection: 5, phase: "left" }, { user: "eve", seq: 5 }))).toBe(false);
    expect(shown.size).toBe(1);
  });

  it("R10: lets go of what its node does not name any more, but of nothing that came after it was asked", () => {
    const { made, shown, tell, budget } = roster();
    tell(word({}), "n1", 5);
    made.retain("n1", new Set(), 4, 0);
    made.retain("n2", new Set(), 9, 0);
    made.retain("n1", new Set([device]), 9, 0);
    expect(shown.size).toBe(1);
    // Named again, it is confirmed.
    tell(word({}), "n1", 8);
    made.retain("n1", undefined, 7, 0);
    expect(shown.size).toBe(1);
    made.retain("n1", undefined, 8, 0);
    // It may be with another node, whose word is still on its way: it has the time to come.
    made.sweep(9_000);
    expect(shown.size).toBe(1);
    made.sweep(10_000);
    expect(shown.size).toBe(0);
    made.sweep(70_000);
    expect(budget.left).toBe(100);
  });

  it("G11: has no room for more than it may, and has it again when those who left are forgotten", () => {
    const { made, tell, budget } = roster(1);
    tell(word({}));
    const other = { device: "other-device", user: "bob" };
    expect(tell(word({}, other))).toBe("full");
    tell(word({ phase: "left" }));
    made.sweep(59_000);
    expect(tell(word({}, other))).toBe("full");
    made.sweep(61_000);
    expect(budget.left).toBe(1);
    expect(tell(word({}, other), "n1", 1, 61_000)).toBe(true);
  });

  it("R2: remembers who left before it heard that they were there", () => {
    const { made, shown, tell, budget } = roster();
    expect(tell(word({ turn: 3, phase: "left" }, { seq: 0 }), "n2")).toBe(true);
    tell(word({ turn: 2 }, { seq: 2 }));
    expect(shown.size).toBe(0);
    // Who comes again is there.
    tell(word({ turn: 4 }, { seq: 4, state: "4" }));
    expect([...shown.values()]).toEqual(["active 4 on 1 of n1"]);
    tell(word({ turn: 5, phase: "left" }, { seq: 4 }), "n2");
    made.sweep(61_000);
    expect(budget.left).toBe(100);
  });

  it("G11: keeps room for those who come", () => {
    const { tell, budget } = roster(2, 1);
    expect(tell(word({ phase: "left" }))).toBe(true);
    const other = { device: "other-device", user: "bob" };
    expect(tell(word({ phase: "left" }, other))).toBe(false);
    expect(tell(word({}, other))).toBe(true);
    expect(budget.left).toBe(0);
  });
});
