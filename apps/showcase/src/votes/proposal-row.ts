import type { Ballot, Choice, Outcome, Proposal } from "@tandem/model";
import type { NameOf } from "../people/names.ts";
import type { Stage } from "../tools/commands.ts";
import { ballotWords, methodWords, outcomeWords, turnoutWords } from "./vote-words.ts";

/** A proposal as it stands on the page. */
export interface ProposalRow {
  readonly id: string;
  readonly title: string;
  readonly by: string;
  /** What decides, and what is known of the ballots, in words. */
  readonly rules: readonly string[];
  readonly options: readonly OptionRow[];
  readonly turnout: string;
  /** What became of it; undefined: it is open. */
  readonly outcome: { readonly kind: Outcome["kind"]; readonly words: string } | undefined;
  /** Tallies of a run-off, round by round, where there was more than one. */
  readonly rounds: readonly (readonly number[])[];
  /** When it closes by itself, in milliseconds since 1970. */
  readonly deadline: number | undefined;
  /** May several options be chosen? */
  readonly several: boolean;
  readonly canVote: boolean;
  /** Is it the reader's own, and open? */
  readonly canClose: boolean;
  /** The reader's part in it, in words. */
  readonly mine: string;
  readonly abstains: boolean;
  /** How far an own command about it is that is not final. */
  readonly stage: Stage | undefined;
}

export interface OptionRow {
  readonly index: number;
  readonly text: string;
  /** Undefined: not to be known before it closes. */
  readonly votes: number | undefined;
  /** Of all that voted, or of all votes: from 0 to 1. */
  readonly share: number;
  readonly chosen: boolean;
  /** Where the reader put it, from 1, where options are put in order. */
  readonly rank: number | undefined;
  readonly won: boolean;
}

interface Seen {
  /** The reader's ballot. */
  readonly ballot: Ballot | undefined;
  /** What the reader chose here, where their ballot does not tell. */
  readonly chosen: Choice | undefined;
  readonly user: string | undefined;
  readonly nameOf: NameOf;
  readonly stage: Stage | undefined;
}

export function proposalRow(proposal: Proposal, { ballot, chosen, user, nameOf, stage }: Seen): ProposalRow {
  const { id, title, by, method, ballots, options, tally, result, deadline } = proposal;
  const isOpen = result === null;
  const mine = ballot?.choice !== undefined ? ballot.choice : isOpen ? chosen : undefined;
  const picks = mine === undefined || mine === null ? [] : typeof mine === "number" ? [mine] : mine;
  const cast = tally?.reduce((sum, votes) => sum + votes, 0) ?? 0;
  const all = Math.max(1, method.kind === "approval" ? proposal.turnout.voters : cast);
  const won = result === null ? [] : winners(result.outcome);
  const hasVoted = ballot !== undefined || (mine !== undefined && stage !== undefined);
  return {
    id,
    title,
    by: nameOf(by),
    rules: [methodWords(method), ballotWords(ballots), ...(proposal.changes ? [] : ["Votes are final"])],
    options: options.map((text, index) => ({
      index,
      text,
      votes: tally?.[index],
      share: (tally?.[index] ?? 0) / all,
      chosen: picks.includes(index),
      rank: method.kind === "ranked" && picks.includes(index) ? picks.indexOf(index) + 1 : undefined,
      won: won.includes(index),
    })),
    turnout: turnoutWords(proposal),
    outcome: result ? { kind: result.outcome.kind, words: outcomeWords(result.outcome, proposal, nameOf) } : undefined,
    rounds: result?.rounds && result.rounds.length > 1 ? result.rounds : [],
    deadline: isOpen ? deadline : undefined,
    several: method.kind === "ranked" || method.kind === "approval",
    canVote: isOpen && user !== undefined && (proposal.changes || !hasVoted),
    canClose: isOpen && user !== undefined && by === user,
    mine: mineWords(isOpen, hasVoted, mine),
    abstains: mine === null,
    stage,
  };
}

function winners(outcome: Outcome): readonly number[] {
  if (outcome.kind === "decided") return [outcome.option];
  return outcome.kind === "tie" ? outcome.options : [];
}

function mineWords(isOpen: boolean, hasVoted: boolean, mine: Choice | undefined): string {
  if (!hasVoted) return isOpen ? "You have not voted" : "You did not vote";
  if (mine === null) return isOpen ? "You abstain" : "You abstained";
  return isOpen ? "You have voted" : "You voted";
}
