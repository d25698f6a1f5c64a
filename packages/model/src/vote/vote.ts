import * as v from "valibot";
import { checkBounds } from "../bounds.ts";
import type { Context, Made } from "../decision.ts";
import { reasons, reject, UNPREDICTABLE } from "../decision.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";
import type { VoteState } from "./ballots.ts";
import { ballotsOf, forgetOldest, linked, placed } from "./ballots.ts";
import { isSettled, opened, resultOf, revealed } from "./closing.ts";
import { countedFor, isChoice, plus, weightIn } from "./count.ts";
import type { Ballot, Choice, Outcome, Proposal, ProposalInput, Result } from "./proposal.ts";
import { ChoiceSchema, ProposalSchema } from "./proposal.ts";

export interface VoteOptions {
  /** Most proposals that are open at a time. Default 50. */
  readonly open?: number;
  /** Closed proposals that the state keeps; the channel's history keeps them all. Default 100. */
  readonly keep?: number;
  /** Most ballots on a proposal without a named electorate, 10,000 at most. Default 10,000. */
  readonly voters?: number;
}

type VoteReason =
  /** There is one of this id already: its maker used a command's nonce again. */
  | { readonly code: "exists" }
  | { readonly code: "unknown-proposal" }
  | { readonly code: "too-many-open"; readonly most: number }
  | { readonly code: "closed" }
  | { readonly code: "not-a-voter" }
  | { readonly code: "already-voted" }
  | { readonly code: "too-many-voters"; readonly most: number }
  | { readonly code: "invalid-choice" }
  | { readonly code: "invalid-proposal"; readonly what: string }
  | { readonly code: "not-yours" };

type VoteEvents = {
  proposed: ProposalInput & { readonly id: string };
  cast: { readonly proposal: string; readonly weight: number; readonly choice?: Choice; readonly sealed?: string };
  revealed: { readonly proposal: string; readonly choices: readonly (readonly [voter: string, choice: Choice])[] };
  closed: { readonly proposal: string; readonly result: Result };
};

/** Ballots that one passing of the deadline counts, or those of one proposal. */
const COUNTED = 2_000;

/** Proposals that one passing of the deadline closes. */
const CLOSED = 200;

/** Most voters whatever the options say: what they chose has to fit into the events of one decision, whatever their names. */
const VOTERS = 10_000;

/** Bytes of JSON that a sealed choice may take: as many as the longest. */
const SEALED_BYTES = 64;

const ProposalId = v.pipe(v.string(), v.minLength(1), v.maxLength(64));

/**
 * Group decisions: proposals with options, ballots, results. A voter's ballot counts once; a closed proposal is final, and its result event holds the
 * tally, the method, the turnout and what was decided on. Ties and missing quorums are results.
 *
 * Hidden and secret ballots are sealed with a key of their proposal, kept outside the channel's history. When a secret vote closes its key is
 * destroyed: from then on nobody can tell who chose what.
 *
 * @example
 * channel({ events: {}, models: { votes: vote() } })
 * @throws RangeError on a bound that cannot be
 */
export function vote({ open: most = 50, keep = 100, voters = VOTERS }: VoteOptions = {}) {
  checkBounds({ open: most, keep });
  checkBounds({ voters }, VOTERS);
  return defineModel({
    name: "vote",
    version: 2,
    upcasters: { 1: { state: (state) => linked(state as VoteState) } },
    initial: (): VoteState => ({ proposals: Table.empty(), ballots: Table.empty() }),
    reasons: reasons<VoteReason>(),
    events: {
      proposed: (state, data: VoteEvents["proposed"], { author, time }): VoteState => {
        const { ballots, proposals } = forgetOldest(state, keep);
        const proposal: Proposal = {
          ...data,
          ...(author === undefined ? {} : { by: author }),
          at: time,
          turnout: { voters: 0, weight: 0, abstained: 0 },
          tally: data.ballots === "open" ? data.options.map(() => 0) : null,
          result: null,
        };
        return { ballots, proposals: proposals.set(data.id, proposal) };
      },
      cast: (state, { proposal: id, weight, ...cast }: VoteEvents["cast"], { author = "", time }): VoteState => {
        const proposal = state.proposals.get(id);
        if (!proposal) return state;
        const key = `${id}/${author}`;
        const before = state.ballots.get(key);
        const ballot = placed({ voter: author, weight, at: time, ...cast }, before, proposal);
        const after = counted(proposal, before, ballot);
        return {
          proposals: state.proposals.set(id, before ? after : { ...after, newest: author }),
          ballots: state.ballots.set(key, ballot),
        };
      },
      revealed: (state, { proposal, choices }: VoteEvents["revealed"]): VoteState => {
        let { ballots } = state;
        for (const [voter, choice] of choices) {
          ballots = ballots.update(`${proposal}/${voter}`, (ballot) => ballot && shown(ballot, choice));
        }
        return { ...state, ballots };
      },
      closed: (state, { proposal: id, result }: VoteEvents["closed"]): VoteState => {
        const { tally, turnout } = result;
        const proposals = state.proposals.update(id, (one) => one && { ...one, result, tally, turnout });
        return { ...state, proposals };
      },
    },
    commands: {
      /** Puts something to the vote. */
      propose: {
        input: ProposalSchema,
        decide: (state, input, { time, id, sealing }) => {
          const wrong = faultOf(input, time);
          if (wrong) return reject("invalid-proposal", { what: wrong });
          if (openOf(state).length >= most) return reject("too-many-open", { most });
          const name = id();
          if (state.proposals.has(name)) return reject("exists");
          if (input.ballots !== "open") sealing?.create(name);
          return [{ type: "proposed", data: { ...input, id: name } }];
        },
      },
      /** Casts a ballot, or changes it. */
      cast: {
        input: v.strictObject({ proposal: ProposalId, choice: ChoiceSchema }),
        secret: true,
        decide: (state, { proposal: id, choice }, context) => {
          const proposal = state.proposals.get(id);
          if (!proposal) return reject("unknown-proposal");
          if (proposal.result || isOver(proposal, context.time)) return reject("closed");
          const voter = context.user;
          const weight = voter === undefined ? undefined : weightOf(proposal, voter);
          if (weight === undefined || voter === undefined) return reject("not-a-voter");
          if (!isChoice(proposal.method, proposal.options.length, choice)) return reject("invalid-choice");
          const before = state.ballots.get(`${id}/${voter}`);
          if (before && !proposal.changes) return reject("already-voted");
          if (!before && !proposal.electorate && proposal.turnout.voters >= voters)
            return reject("too-many-voters", { most: voters });
          if (proposal.ballots !== "open" && !context.sealing) return UNPREDICTABLE;
          const ballot: Ballot = { voter, weight, at: context.time, ...kept(proposal, choice, context) };
          const { voter: _, at: __, ...data } = ballot;
          const cast: Made<VoteEvents> = { type: "cast", data: { proposal: id, ...data } };
          const after = counted(proposal, before, ballot);
          if (!isSettled(after)) return [cast];
          const others = ballotsOf(state.ballots, proposal).filter((other) => other.voter !== voter);
          return [cast, ...close(after, [...others, ballot], context)];
        },
      },
      /** Stops it. Only those whom the proposal names. */
      veto: {
        input: v.strictObject({
          proposal: ProposalId,
          reason: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(2_000)),
        }),
        decide: (state, { proposal: id, reason }, context) => {
          const proposal = state.proposals.get(id);
          if (!proposal) return reject("unknown-proposal");
          if (proposal.result) return reject("closed");
          if (context.user === undefined || !proposal.veto.includes(context.user)) return reject("not-yours");
          return closeNow(state, proposal, context, { kind: "vetoed", by: context.user, reason });
        },
      },
      /** Closes it and counts. Only who proposed it, and admins. */
      close: {
        input: v.strictObject({ proposal: ProposalId }),
        decide: (state, { proposal: id }, context) => {
          const proposal = state.proposals.get(id);
          if (!proposal) return reject("unknown-proposal");
          if (proposal.result) return reject("closed");
          if (!context.admin && context.user !== proposal.by) return reject("not-yours");
          return closeNow(state, proposal, context);
        },
      },
      /** Ends it without a decision. Only who proposed it, and admins. */
      withdraw: {
        input: v.strictObject({ proposal: ProposalId }),
        decide: (state, { proposal: id }, context) => {
          const proposal = state.proposals.get(id);
          if (!proposal) return reject("unknown-proposal");
          if (proposal.result) return reject("closed");
          if (!context.admin && context.user !== proposal.by) return reject("not-yours");
          const by = context.user === undefined ? {} : { by: context.user };
          return closeNow(state, proposal, context, { kind: "withdrawn", ...by });
        },
      },
    },
    deadline: (state) => {
      const deadlines = openOf(state).flatMap(({ deadline }) => deadline ?? []);
      return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
    },
    // Those that are over and do not fit are next at once: their deadline has passed.
    onDeadline: (state, context) => {
      const over: Proposal[] = [];
      let counted = 0;
      for (const proposal of openOf(state)) {
        if (!isOver(proposal, context.time)) continue;
        counted += proposal.turnout.voters;
        if (over.length === CLOSED || (over.length > 0 && counted > COUNTED)) break;
        over.push(proposal);
      }
      return over.flatMap((proposal) => close(proposal, ballotsOf(state.ballots, proposal), context));
    },
    touches: ({ data }) => [`proposals/${"id" in data ? data.id : data.proposal}`],
  });
}

function openOf({ proposals }: VoteState): Proposal[] {
  return [...proposals.values()].filter(({ result }) => result === null);
}

function isOver({ deadline }: Proposal, time: number): boolean {
  return deadline !== undefined && deadline <= time;
}

/** `undefined`: may not vote. */
function weightOf({ electorate }: Proposal, voter: string): number | undefined {
  if (!electorate) return 1;
  return Object.hasOwn(electorate, voter) ? electorate[voter] : undefined;
}

function faultOf({ deadline, quorum, electorate, method }: ProposalInput, time: number): string | undefined {
  if (deadline !== undefined && deadline <= time) return "its deadline has passed";
  if (!electorate && quorum && "share" in quorum) return "a share of the electorate needs a named electorate";
  if (!electorate && method.kind === "weighted") return "weighted votes need a named electorate";
  return undefined;
}

/** What is kept of a choice: itself, or sealed. */
function kept({ id, ballots }: Proposal, choice: Choice, { sealing }: Context): Pick<Ballot, "choice" | "sealed"> {
  return ballots === "open" || !sealing ? { choice } : { sealed: sealing.seal(id, choice, SEALED_BYTES) };
}

function shown({ sealed: _, ...ballot }: Ballot, choice: Choice): Ballot {
  return { ...ballot, choice };
}

/** The proposal with a ballot, in the place of that voter's earlier one. */
function counted(proposal: Proposal, before: Ballot | undefined, after: Ballot): Proposal {
  const { turnout, tally, method } = proposal;
  const isOpen = after.sealed === undefined;
  const abstains = (ballot: Ballot | undefined) => (ballot && isOpen && ballot.choice === null ? 1 : 0);
  const votes = tally === null ? null : [...tally];
  for (const [ballot, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    if (!ballot || !votes) continue;
    for (const option of countedFor(ballot.choice ?? null, method)) {
      votes[option] = plus(votes[option] ?? 0, sign * weightIn(method, ballot.weight));
    }
  }
  return {
    ...proposal,
    tally: votes,
    turnout: {
      voters: turnout.voters + (before ? 0 : 1),
      weight: plus(turnout.weight, after.weight - (before?.weight ?? 0)),
      abstained: turnout.abstained + abstains(after) - abstains(before),
    },
  };
}

function closeNow(state: VoteState, proposal: Proposal, context: Context, ended?: Outcome) {
  if (proposal.ballots !== "open" && !context.sealing) return UNPREDICTABLE;
  return close(proposal, ballotsOf(state.ballots, proposal), context, ended);
}

/** The events that close a proposal. What was sealed is opened for the last time. */
function close(
  proposal: Proposal,
  ballots: readonly Ballot[],
  { sealing, time }: Context,
  ended?: Outcome,
): Made<VoteEvents>[] {
  const { id } = proposal;
  const votes = opened(ballots, (sealed) => sealing?.open(id, sealed));
  // Of a secret vote that came to nothing, nothing is told.
  const known = ended?.kind === "withdrawn" && proposal.ballots === "secret" ? [] : votes;
  const abstained = known.filter(({ choice }) => choice === null).length;
  const result = resultOf({ ...proposal, turnout: { ...proposal.turnout, abstained } }, known, time, ended);
  const events: Made<VoteEvents>[] = [];
  if (proposal.ballots !== "open") sealing?.destroy(id);
  if (proposal.ballots === "hidden") {
    for (const choices of revealed(votes)) events.push({ type: "revealed", data: { proposal: id, choices } });
  }
  return [...events, { type: "closed", data: { proposal: id, result } }];
}
