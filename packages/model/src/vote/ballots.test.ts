import { describe, expect, it, vi } from "vitest";
import { upcastState } from "../evolution.ts";
import { Table } from "../table.ts";
import { Rehearsal } from "../testing/index.ts";
import type { VoteState } from "./ballots.ts";
import { ballotsOf } from "./ballots.ts";
import type { Proposal } from "./proposal.ts";
import { vote } from "./vote.ts";

/** Two proposals on which the same people vote in turns, one of them more than once. */
function voted(voters: number) {
  const stage = new Rehearsal(vote({ keep: 2 }));
  const ids = ["Where to?", "When?"].map((title) => {
    stage.command("ann", "propose", { title, options: ["one", "two"] });
    return [...stage.state.proposals.values()].find((proposal) => proposal.title === title)?.id ?? "";
  });
  for (let at = 0; at < voters; at++) {
    for (const proposal of ids) stage.command(`user-${at}`, "cast", { proposal, choice: 0 });
  }
  for (const proposal of ids) stage.command("user-0", "cast", { proposal, choice: 1 });
  return { stage, ids };
}

const votersOf = ({ ballots, proposals }: VoteState, id: string) =>
  ballotsOf(ballots, proposals.get(id) as Proposal).map(({ voter }) => voter);

describe("the ballots of a proposal", () => {
  it("are found in the order in which their voters came, without a look at those of others", () => {
    const { stage, ids } = voted(20);
    const look = vi.spyOn(Table.prototype, "get");
    const found = ids.map((id) => votersOf(stage.state, id));
    expect(look.mock.calls.length).toBe(2 * 20 + ids.length);
    look.mockRestore();
    const all = Array.from({ length: 20 }, (_, at) => `user-${at}`);
    expect(found).toEqual([all, all]);
  });

  it("go with it, when the state forgets it", () => {
    const { stage, ids } = voted(3);
    for (const proposal of ids) stage.command("ann", "close", { proposal });
    stage.command("ann", "propose", { title: "Who?", options: ["one", "two"] });
    expect([stage.state.proposals.size, stage.state.ballots.size]).toEqual([2, 3]);
    stage.check();
  });

  it("are found also in a state of the first version, where they did not know of each other", () => {
    const { stage, ids } = voted(5);
    const { proposals, ballots } = stage.state;
    const old = {
      proposals: Table.of([...proposals].map(([id, { newest: _, ...proposal }]) => [id, proposal] as const)),
      ballots: Table.of([...ballots].map(([key, { before: _, ...ballot }]) => [key, ballot] as const)),
    };
    const state = upcastState(stage.model, 1, old) as VoteState;
    for (const id of ids) expect(votersOf(state, id).sort()).toEqual(votersOf(stage.state, id).sort());
  });
});
