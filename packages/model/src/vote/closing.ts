import type { Vote } from "./count.ts";
import { count, isShare, plus, suffices, weightIn } from "./count.ts";
import type { Ballot, Choice, Outcome, Proposal, Result } from "./proposal.ts";

/** Letters of ballots that one event reveals, about: far fewer than an event may have bytes. */
const REVEALED = 8_192;

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

function hasQuorum(proposal: Proposal): boolean {
  const { quorum, electorate, turnout, method } = proposal;
  if (!quorum) return true;
  if ("voters" in quorum) return turnout.voters >= quorum.voters;
  return !electorate || isShare(castWeight(proposal), allWeight(electorate, method), quorum.share);
}

/** The weight of all who may vote. */
function allWeight(electorate: NonNullable<Proposal["electorate"]>, method: Proposal["method"]): number {
  return Object.values(electorate).reduce((sum, weight) => plus(sum, weightIn(method, weight)), 0);
}

/**
 * Can no vote that is still out change the outcome? Known only of a named electorate. Where voters may change their mind, or
 * the ballots are sealed (an earlier end would tell something of the last ones), not before everybody has voted.
 */
export function isSettled(proposal: Proposal): boolean {
  const { electorate, early, turnout, method, tally, changes } = proposal;
  if (!early || !electorate) return false;
  if (turnout.voters >= Object.keys(electorate).length) return true;
  if (changes || tally === null || method.kind === "ranked" || method.kind === "approval" || !hasQuorum(proposal)) {
    return false;
  }
  const out = plus(allWeight(electorate, method), -castWeight(proposal));
  const [most = 0, second = 0] = [...tally].sort((a, b) => b - a);
  const cast = tally.reduce(plus, 0);
  // Even if all that are out went against it.
  if (most <= plus(second, out)) return false;
  return method.kind === "unanimous" ? second > 0 : suffices(method, most, plus(cast, out));
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
