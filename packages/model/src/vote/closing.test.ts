import { describe, expect, it } from "vitest";
import { Rehearsal } from "../testing/index.ts";
import { revealed } from "./closing.ts";
import type { Choice, Proposal } from "./proposal.ts";
import { vote } from "./vote.ts";

/** Most events that one decision may make on a server. */
const EVENTS = 1_024;

function begin(options: Parameters<typeof vote>[0] = {}) {
  const stage = new Rehearsal(vote(options), { admins: ["admin"] });
  const propose = (more: object) => {
    const input = { title: "Where to?", options: ["Rome", "Oslo"], ...more };
    const outcome = stage.command("ann", "propose", input);
    if (outcome.status !== "accepted") throw new Error(JSON.stringify(outcome));
    const [event] = outcome.events as readonly { readonly data: { readonly id: string } }[];
    return event?.data.id ?? "";
  };
  const cast = (user: string, proposal: string, choice: Choice) => stage.command(user, "cast", { proposal, choice });
  const result = (id: string) => (stage.state.proposals.get(id) as Proposal).result;
  return { stage, propose, cast, result };
}

const named = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, at) => [`user-${at}`, 1]));

describe("the deadline of many votes", () => {
  it("closes so many at a time as can be stored together, until all are closed", () => {
    const { stage, propose } = begin({ open: 1_500 });
    for (let count = 0; count < 1_500; count++) propose({ deadline: stage.time + 10_000_000 });
    stage.advance(11_000_000);
    const context = { ...stage.context(undefined, "n", stage.time), sealing: undefined };
    const made = stage.model.onDeadline(stage.state, context);
    expect(made.length).toBeLessThanOrEqual(EVENTS);
    stage.fire();
    expect([...stage.state.proposals.values()].filter(({ result }) => result === null)).toEqual([]);
  });
});

describe("a quorum that is a share", () => {
  it("is reached by exactly that share of the voters", () => {
    const { stage, propose, cast, result } = begin();
    const id = propose({ electorate: named(100), quorum: { share: 0.55 } });
    for (let at = 0; at < 55; at++) cast(`user-${at}`, id, 0);
    stage.command("ann", "close", { proposal: id });
    expect(result(id)?.outcome).toEqual({ kind: "decided", option: 0 });
  });

  it("of all the weight is reached when all have voted, in whatever order", () => {
    const { propose, cast, result } = begin();
    const electorate = { ann: 0.1, bea: 0.2, cai: 0.3 };
    const id = propose({ electorate, method: { kind: "weighted" }, quorum: { share: 1 } });
    for (const user of ["cai", "bea", "ann"]) cast(user, id, 0);
    expect(result(id)?.outcome).toEqual({ kind: "decided", option: 0 });
  });
});

describe("a weighted vote", () => {
  it("is a tie where both sides weigh the same", () => {
    const { propose, cast, result } = begin();
    const id = propose({ electorate: { ann: 0.1, bea: 0.2, cai: 0.3 }, method: { kind: "weighted" } });
    for (const [user, choice] of [
      ["cai", 1],
      ["bea", 0],
      ["ann", 0],
    ] as const)
      cast(user, id, choice);
    expect(result(id)).toMatchObject({ outcome: { kind: "tie", options: [0, 1] }, tally: [0.3, 0.3] });
  });
});

describe("an early end", () => {
  it("does not come while a vote that is out could still make a tie of it", () => {
    const { propose, cast, result } = begin();
    const id = propose({ electorate: named(4), method: { kind: "unanimous" }, changes: false });
    for (const [at, choice] of [0, 0, 1].entries()) cast(`user-${at}`, id, choice);
    expect(result(id)).toBeNull();
    cast("user-3", id, 1);
    expect(result(id)?.outcome).toEqual({ kind: "tie", options: [0, 1] });
  });
});

describe("a secret vote that is withdrawn", () => {
  it("tells nothing of its ballots, nor who abstained", () => {
    const { stage, propose, cast, result } = begin();
    const id = propose({ ballots: "secret" });
    cast("bea", id, null);
    stage.command("ann", "withdraw", { proposal: id });
    expect(result(id)).toMatchObject({ tally: [0, 0], turnout: { voters: 1, abstained: 0 } });
  });
});

describe("the most voters that there can be", () => {
  const names = Array.from({ length: 10_000 }, (_, at) => `${at}`.padEnd(256, '"'));

  it("are revealed in as many events as one decision may make, whatever their names and choices", () => {
    const choice = Array.from({ length: 20 }, (_, option) => option);
    const pieces = [...revealed(names.map((voter) => ({ voter, weight: 1, choice })))];
    expect(pieces.length).toBeLessThan(EVENTS);
    expect(() => vote({ voters: names.length + 1 })).toThrow(RangeError);
  });
});
