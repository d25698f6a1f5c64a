import type { CommandInput, Method } from "@tandem/model";
import type { votes } from "../room-models.ts";

/** A proposal as it stands in the form. */
export interface ProposalDraft {
  readonly title: string;
  /** Blank ones are left out. */
  readonly options: readonly string[];
  readonly method: MethodName;
  readonly ballots: "open" | "hidden" | "secret";
  /** How many have to vote; 0: any number. */
  readonly quorum: number;
  /** Minutes until it closes by itself; 0: when it is closed. */
  readonly minutes: number;
  /** May voters change their mind? */
  readonly changes: boolean;
}

export type MethodName = "majority" | "two-thirds" | "unanimous" | "ranked" | "approval";

export const EMPTY_DRAFT: ProposalDraft = {
  title: "",
  options: ["Yes", "No"],
  method: "majority",
  ballots: "open",
  quorum: 0,
  minutes: 0,
  changes: true,
};

/** Most options of a proposal. */
export const OPTIONS = 20;

const METHODS: Record<MethodName, Method> = {
  majority: { kind: "majority" },
  "two-thirds": { kind: "super-majority", share: 2 / 3 },
  unanimous: { kind: "unanimous" },
  ranked: { kind: "ranked" },
  approval: { kind: "approval" },
};

type ProposalInput = CommandInput<typeof votes, "propose">;

/** What is put to the vote, or what is wrong with it. @param now milliseconds since 1970 */
export function proposalOf(
  draft: ProposalDraft,
  now: number,
): { readonly input: ProposalInput } | { readonly wrong: string } {
  const title = draft.title.trim();
  const options = draft.options.map((option) => option.trim()).filter((option) => option !== "");
  if (title === "") return { wrong: "Say what it is about." };
  if (options.length < 2) return { wrong: "Give at least two options." };
  if (new Set(options).size < options.length) return { wrong: "Two options are the same." };
  const { method, ballots, quorum, minutes, changes } = draft;
  return {
    input: {
      title,
      options,
      method: METHODS[method],
      ballots,
      changes,
      ...(quorum > 0 && { quorum: { voters: quorum } }),
      ...(minutes > 0 && { deadline: now + minutes * 60_000 }),
    },
  };
}
