import type { Table } from "../table.ts";
import type { Ballot, Proposal } from "./proposal.ts";

/** Proposals, and ballots by `{proposal}/{voter}`. */
export interface VoteState {
  readonly proposals: Table<Proposal>;
  readonly ballots: Table<Ballot>;
}

/**
 * The ballots of a proposal, in the order in which its voters came. Goes from each to the one before it: a channel may have many proposals of many ballots,
 * and those of others are not looked at.
 */
export function ballotsOf(ballots: Table<Ballot>, { id, newest }: Pick<Proposal, "id" | "newest">): readonly Ballot[] {
  const found: Ballot[] = [];
  for (let ballot = newest === undefined ? undefined : ballots.get(`${id}/${newest}`); ballot; ) {
    found.push(ballot);
    ballot = ballot.before === undefined ? undefined : ballots.get(`${id}/${ballot.before}`);
  }
  return found.reverse();
}

/** A ballot among those of its proposal, in the place of its voter's earlier one. */
export function placed(ballot: Ballot, earlier: Ballot | undefined, { newest }: Pick<Proposal, "newest">): Ballot {
  const before = earlier ? earlier.before : newest;
  return before === undefined ? ballot : { ...ballot, before };
}

/** Room for one more: the state forgets the proposals that closed first, with their ballots. */
export function forgetOldest(state: VoteState, keep: number): VoteState {
  const closed = [...state.proposals.values()].filter(({ result }) => result !== null);
  if (closed.length < keep) return state;
  closed.sort((a, b) => (a.result?.at ?? 0) - (b.result?.at ?? 0) || (a.id < b.id ? -1 : 1));
  let { proposals, ballots } = state;
  for (const proposal of closed.slice(0, closed.length - keep + 1)) {
    proposals = proposals.delete(proposal.id);
    for (const { voter } of ballotsOf(state.ballots, proposal)) ballots = ballots.delete(`${proposal.id}/${voter}`);
  }
  return { proposals, ballots };
}

/** A state of the model's first version, in which ballots did not know of each other. */
export function linked(state: VoteState): VoteState {
  let { proposals, ballots } = state;
  for (const [key, ballot] of state.ballots) {
    const proposal = proposals.get(key.slice(0, key.indexOf("/")));
    if (!proposal) continue;
    ballots = ballots.set(key, placed(ballot, undefined, proposal));
    proposals = proposals.set(proposal.id, { ...proposal, newest: ballot.voter });
  }
  return { proposals, ballots };
}
