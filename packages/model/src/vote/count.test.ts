import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { count, isChoice } from "./count.ts";
import type { Choice, Method } from "./proposal.ts";

const votes = (...choices: Choice[]) => choices.map((choice) => ({ choice, weight: 1 }));
const majority: Method = { kind: "majority" };

describe("a majority", () => {
  it.each([
    [[0, 0, 1], { kind: "decided", option: 0 }],
    [[0, 1], { kind: "tie", options: [0, 1] }],
    [[0, 0, 1, 2], { kind: "undecided" }],
    [[0, null, null, null], { kind: "decided", option: 0 }],
    [[null], { kind: "undecided" }],
    [[], { kind: "undecided" }],
  ] as const)("of %j is %j", (choices, outcome) => {
    expect(count(majority, 3, votes(...choices)).outcome).toEqual(outcome);
  });

  it("of two thirds takes two thirds", () => {
    const method: Method = { kind: "super-majority", share: 2 / 3 };
    expect(count(method, 2, votes(0, 0, 1)).outcome).toEqual({ kind: "decided", option: 0 });
    expect(count(method, 2, votes(0, 0, 0, 1, 1)).outcome).toEqual({ kind: "undecided" });
  });

  it.each([
    [0.55, 55, 100],
    [0.56, 14, 25],
    [0.7, 7, 10],
  ])("of %f takes %i of %i", (share, yes, all) => {
    const choices = Array.from({ length: all }, (_, at) => (at < yes ? 0 : 1));
    const method: Method = { kind: "super-majority", share };
    expect(count(method, 2, votes(...choices)).outcome).toEqual({ kind: "decided", option: 0 });
    expect(count(method, 2, votes(...choices.with(0, 1))).outcome).toEqual({ kind: "undecided" });
  });

  it("of all takes all who did not abstain", () => {
    const method: Method = { kind: "unanimous" };
    expect(count(method, 2, votes(1, 1, null)).outcome).toEqual({ kind: "decided", option: 1 });
    expect(count(method, 2, votes(1, 1, 0)).outcome).toEqual({ kind: "undecided" });
  });

  it("by weight counts weights", () => {
    const heavy = [
      { choice: 0, weight: 3 },
      { choice: 1, weight: 1 },
      { choice: 1, weight: 1 },
    ];
    expect(count({ kind: "weighted" }, 2, heavy)).toMatchObject({
      outcome: { kind: "decided", option: 0 },
      tally: [3, 2],
    });
    expect(count(majority, 2, heavy).outcome).toEqual({ kind: "decided", option: 1 });
  });
});

describe("a run-off", () => {
  const ranked: Method = { kind: "ranked" };

  it("lets who has the fewest first places drop out, until one has more than half", () => {
    const ballots = votes([0, 2, 1], [0, 2, 1], [1, 2, 0], [1, 2, 0], [2, 1, 0]);
    const { outcome, rounds, tally } = count(ranked, 3, ballots);
    expect(outcome).toEqual({ kind: "decided", option: 1 });
    expect(tally).toEqual([2, 2, 1]);
    expect(rounds).toEqual([
      [2, 2, 1],
      [2, 3, 0],
    ]);
  });

  it("is a tie where all that are left have the same", () => {
    expect(count(ranked, 2, votes([0], [1])).outcome).toEqual({ kind: "tie", options: [0, 1] });
  });

  it("leaves aside ballots whose options have all dropped out", () => {
    expect(count(ranked, 3, votes([0], [0], [1], [1, 0], [2])).outcome).toEqual({ kind: "tie", options: [0, 1] });
  });

  it("ends, and decides for one that nobody beats by first places alone", () => {
    const ranking = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 1 });
    fc.assert(
      fc.property(fc.array(ranking, { maxLength: 30 }), (rankings) => {
        const { outcome, rounds = [] } = count(ranked, 5, votes(...rankings));
        expect(rounds.length).toBeLessThanOrEqual(5);
        if (outcome.kind !== "decided") return;
        const last = rounds[rounds.length - 1] ?? [];
        const counted = last.reduce((sum, votes) => sum + votes, 0);
        expect((last[outcome.option] ?? 0) * 2).toBeGreaterThan(counted);
      }),
    );
  });

  it("does not depend on the order of the ballots", () => {
    const ranking = fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 });
    fc.assert(
      fc.property(fc.array(ranking, { maxLength: 20 }), (rankings) => {
        expect(count(ranked, 4, votes(...rankings))).toEqual(count(ranked, 4, votes(...rankings.toReversed())));
      }),
    );
  });
});

describe("approval", () => {
  it("is won by the option that most approve of", () => {
    expect(count({ kind: "approval" }, 3, votes([0, 1], [1], [2, 1], null)).outcome).toEqual({
      kind: "decided",
      option: 1,
    });
    expect(count({ kind: "approval" }, 2, votes([0, 1], [0, 1])).outcome).toEqual({ kind: "tie", options: [0, 1] });
  });
});

describe("a choice", () => {
  it.each<[Method["kind"], Choice, boolean]>([
    ["majority", 1, true],
    ["majority", 2, false],
    ["majority", [0], false],
    ["ranked", [1, 0], true],
    ["ranked", 0, false],
    ["approval", [2], false],
    ["approval", null, true],
  ])("with %s: %j is one: %s", (kind, choice, expected) => {
    const method = (kind === "super-majority" ? { kind, share: 0.6 } : { kind }) as Method;
    expect(isChoice(method, 2, choice)).toBe(expected);
  });
});
