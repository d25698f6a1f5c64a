import type { Method, Outcome, Proposal, ReasonOf } from "@tandem/model";
import type { NameOf } from "../people/names.ts";
import type { votes } from "../room-models.ts";

/** What decides, shortly. */
export function methodWords(method: Method): string {
  switch (method.kind) {
    case "majority":
      return "More than half decides";
    case "super-majority":
      return `${shareWords(method.share)} decide`;
    case "unanimous":
      return "All have to agree";
    case "weighted":
      return "Votes have weights";
    case "ranked":
      return "Ranked: put options in your order";
    case "approval":
      return "Approve of as many as you like";
  }
}

function shareWords(share: number): string {
  if (Math.abs(share - 2 / 3) < 0.01) return "Two thirds";
  return `${Math.round(share * 100)} %`;
}

const BALLOT_WORDS: Record<Proposal["ballots"], string> = {
  open: "Open ballots",
  hidden: "Hidden until it closes",
  secret: "Secret ballots",
};

export function ballotWords(ballots: Proposal["ballots"]): string {
  return BALLOT_WORDS[ballots];
}

/** How many voted, and how many have to. */
export function turnoutWords({ turnout, quorum }: Pick<Proposal, "turnout" | "quorum">): string {
  const { voters, abstained } = turnout;
  const needed = quorum && "voters" in quorum ? ` of ${quorum.voters} needed` : "";
  const voted = voters === 0 && needed === "" ? "Nobody has voted" : `${voters}${needed} voted`;
  return abstained > 0 ? `${voted}, ${abstained} of them abstained` : voted;
}

/** What became of a proposal, as a sentence. */
export function outcomeWords(outcome: Outcome, { options, turnout, quorum }: Proposal, nameOf: NameOf): string {
  const name = (option: number) => `“${options[option] ?? "?"}”`;
  switch (outcome.kind) {
    case "decided":
      return `Decided: ${name(outcome.option)}`;
    case "tie":
      return `A tie between ${listed(outcome.options.map(name))}`;
    case "undecided":
      return turnout.voters === turnout.abstained ? "No decision: nobody chose" : "No decision: no option had enough";
    case "no-quorum": {
      const needed = quorum && "voters" in quorum ? ` of ${quorum.voters} needed` : "";
      return `No quorum: ${turnout.voters}${needed} voted`;
    }
    case "vetoed":
      return `Vetoed by ${inside(nameOf(outcome.by))}: ${outcome.reason}`;
    case "withdrawn":
      return `Withdrawn by ${inside(nameOf(outcome.by))}`;
  }
}

/** A name within a sentence. */
function inside(name: string): string {
  return name === "You" ? "you" : name;
}

/** a; a and b; a, b and c. */
function listed(items: readonly string[]): string {
  if (items.length < 2) return items.join("");
  return `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}

/** Why a command of a vote was refused, as a sentence. */
export function voteRefusal(reason: ReasonOf<typeof votes>): string {
  switch (reason.code) {
    case "exists":
      return "It has been proposed already.";
    case "unknown-proposal":
      return "The proposal is not there any more.";
    case "too-many-open":
      return `${reason.most} proposals are open already: close one first.`;
    case "closed":
      return "The proposal was closed by then.";
    case "not-a-voter":
      return "You are not among those who vote on it.";
    case "already-voted":
      return "You have voted, and votes on it are final.";
    case "too-many-voters":
      return `${reason.most} have voted on it: there is no room for more.`;
    case "invalid-choice":
      return "It does not take such a choice.";
    case "invalid-proposal":
      return `It cannot be: ${reason.what}.`;
    case "not-yours":
      return "Only who proposed it may do that.";
  }
}
