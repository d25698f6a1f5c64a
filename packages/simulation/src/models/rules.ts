import type { FeedState, InboxState, JobState, LockState, StreamState, TallyState, VoteState } from "@tandem/model";
import type { Fact } from "../ledger.ts";
import type { Broken } from "./broken.ts";
import { COUNT, modelEventOf } from "./desk.ts";
import { jobBroken } from "./job-rules.ts";
import { feedBroken, inboxBroken, tallyBroken } from "./notice-rules.ts";
import type { States } from "./oracle.ts";
import type { PurseState } from "./purse.ts";
import { PURSE_MOST } from "./purse.ts";
import { streamBroken } from "./stream-rules.ts";

/** What has to be true of desks whatever was decided: said once more, by nothing that the models themselves say. @returns what is broken */
export function brokenBy(fact: Fact, command: string | undefined, before: States, after: States): Broken | undefined {
  const event = modelEventOf(fact);
  if (!event) return undefined;
  const data = event.data as Readonly<Record<string, unknown>>;
  const { author, time } = event.info;
  const found = { type: event.type, data, author, time, command };
  switch (event.name) {
    case "count": {
      const { value } = after.count as { value: number };
      if (value < COUNT.least || value > COUNT.most) return { rule: "M1", text: `the counter stands at ${value}` };
      return undefined;
    }
    case "purse": {
      const { total } = after.purse as PurseState;
      if (total < 0 || total > PURSE_MOST) return { rule: "M1", text: `the purse holds ${total}` };
      const known = (before.purse as PurseState).hidden.get(String(data.label));
      if (event.type === "revealed" && known?.value !== undefined) return { rule: "M2", text: "revealed twice" };
      return undefined;
    }
    case "locks":
      return lockBroken(event.type, data, before.locks as LockState);
    case "votes":
      return voteBroken(event.type, data, fact.author ?? "", before.votes as VoteState);
    case "jobs":
      return jobBroken(found, before.jobs as JobState, after.jobs as JobState);
    case "feed":
      return feedBroken(found, before.feed as FeedState, after.feed as FeedState);
    case "inbox":
      return inboxBroken(found, before.inbox as InboxState, after.inbox as InboxState);
    case "stream":
      return streamBroken(found, before.stream as StreamState);
    case "tally":
      return tallyBroken(found, after.tally as TallyState);
    default:
      return undefined;
  }
}

/** G7: one holder at a time, and tokens rise. */
function lockBroken(type: string, { lock, token }: Readonly<Record<string, unknown>>, { locks, last }: LockState) {
  const name = String(lock);
  if (type === "granted" && locks.get(name)?.holder)
    return { rule: "G7", text: `${name} was granted and had a holder` };
  if (token !== undefined && !(Number(token) > last))
    return { rule: "G7", text: `the token ${token} comes after ${last}` };
  return undefined;
}

/** G8: a ballot a voter, and nothing after the end. */
function voteBroken(
  type: string,
  data: Readonly<Record<string, unknown>>,
  author: string,
  { proposals, ballots }: VoteState,
) {
  if (type === "proposed") return undefined;
  const id = String(data.proposal);
  const proposal = proposals.get(id);
  if (!proposal) return { rule: "G8", text: `${type} of a proposal that is not there` };
  if (proposal.result) return { rule: "G8", text: `${type} after the proposal was closed` };
  if (type !== "cast") return undefined;
  if (!proposal.changes && ballots.has(`${id}/${author}`)) return { rule: "G8", text: `${author} has voted twice` };
  if (proposal.electorate && !Object.hasOwn(proposal.electorate, author))
    return { rule: "G8", text: `${author} has voted and is no voter` };
  if ((proposal.ballots === "open") === (data.choice === undefined))
    return { rule: "G8", text: `a ballot of a vote that is ${proposal.ballots} holds ${Object.keys(data).join(", ")}` };
  return undefined;
}
