import type { Table } from "../table.ts";
import type { Vote } from "./count.ts";
import { count, suffices, weightIn } from "./count.ts";
import type { Ballot, Choice, Outcome, Proposal, Result } from "./proposal.ts";

/** Letters of ballots that one event reveals, about: far fewer than an event may have bytes. */
const REVEALED = 8_192;

/** The ballots of a proposal, by voter. */
export function ballotsOf(ballots: Table<Ballot>, proposal: string): Ballot[] {
  const found: Ballot[] = [];
  for (const [key, ballot] of ballots) if (key.startsWith(`${proposal}/`)) found.push(ballot);
  return found;
}

/** The result of a proposal by its opened ballots. @param at when it closes */
export function resultOf(proposal: Proposal, votes: readonly Vote[], at: number, ended?: Outcome): Result {
  const { method, options, turnout, about } = proposal;
  const counted = count(method, options.length, votes);
  const outcome = ended ?? (hasQuorum(proposal) ? counted.outcome : { kind: "no-quorum" as const });
  return {
    outcome,
    method,
    tally: counted.tally,
    turnout,
    ...(counted.rounds ? { rounds: counted.rounds } : {}),
    ...(about ? { about } : {}),
    at,
  };
}

function hasQuorum({ quorum, electorate, turnout, method }: Proposal): boolean {
  if (!quorum) return true;
  if ("voters" in quorum) return turnout.voters >= quorum.voters;
  if (!electorate) return true;
  const weights = Object.values(electorate);
  const all = weights.reduce((sum, weight) => sum + weightIn(method, weight), 0);
  return (method.kind === "weighted" ? turnout.weight : turnout.voters) >= all * quorum.share;
}

/**
 * Can no vote that is still out change the outcome? Known only of a named electorate. Where voters may change their mind, or
 * the ballots are sealed (an earlier end would tell something of the last ones), not before everybody has voted.
 */
export function isSettled(proposal: Proposal): boolean {
  const { electorate, early, turnout, method, tally, changes } = proposal;
  if (!early || !electorate) return false;
  const weights = Object.values(electorate);
  if (turnout.voters >= weights.length) return true;
  if (changes || tally === null || method.kind === "ranked" || method.kind === "approval" || !hasQuorum(proposal)) {
    return false;
  }
  const out = weights.reduce((sum, weight) => sum + weightIn(method, weight), 0) - castWeight(proposal);
  const [most = 0, second = 0] = [...tally].sort((a, b) => b - a);
  const cast = tally.reduce((sum, votes) => sum + votes, 0);
  if (method.kind === "unanimous") return second > 0 && most > second;
  // Even if all that are out went against it.
  return suffices(method, most, cast + out) && most > second + out;
}

/** The weight of all who have voted, those who abstained among them. */
function castWeight({ turnout, method }: Proposal): number {
  return method.kind === "weighted" ? turnout.weight : turnout.voters;
}

/** Opens ballots: sealed ones by `open`. One that cannot be opened counts as an abstention. */
export function opened(
  ballots: readonly Ballot[],
  open: (sealed: string) => unknown,
): (Vote & { readonly voter: string })[] {
  return ballots.map(({ voter, weight, choice, sealed }) => ({
    voter,
    weight,
    choice: sealed === undefined ? (choice ?? null) : ((open(sealed) as Choice | undefined) ?? null),
  }));
}

/** What each has voted, in as many pieces as events are to tell it: a vote of any number of voters, whatever their names, can be closed. */
export function* revealed(
  votes: readonly (Vote & { readonly voter: string })[],
): Generator<(readonly [voter: string, choice: Choice])[], undefined> {
  let piece: (readonly [string, Choice])[] = [];
  let letters = 0;
  for (const { voter, choice } of votes) {
    const one = [voter, choice] as const;
    letters += JSON.stringify(one).length;
    if (letters > REVEALED && piece.length > 0) {
      yield piece;
      piece = [];
      letters = JSON.stringify(one).length;
    }
    piece.push(one);
  }
  if (piece.length > 0) yield piece;
}
