import * as v from "valibot";

/** Most options of a proposal. */
const OPTIONS = 20;

/** Most named voters. */
const VOTERS = 1_000;

const Text = (most: number) => v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(most));
const Share = v.pipe(v.number(), v.minValue(0), v.maxValue(1));
const UserSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

/**
 * How ballots become a decision. Abstentions count for the turnout and for nothing else.
 *
 * - `majority`: an option with more than half of the votes
 * - `super-majority`: one with at least `share` of them, more than half
 * - `unanimous`: all votes for one option
 * - `weighted`: as `majority`, or with at least `share` where that is given, each vote with its voter's weight
 * - `ranked`: instant run-off: who has the fewest first places drops out, until one has more than half
 * - `approval`: each voter approves of as many as they like; the one with the most wins
 */
const MethodSchema = v.variant("kind", [
  v.strictObject({ kind: v.literal("majority") }),
  v.strictObject({ kind: v.literal("super-majority"), share: v.pipe(Share, v.gtValue(0.5)) }),
  v.strictObject({ kind: v.literal("unanimous") }),
  v.strictObject({ kind: v.literal("weighted"), share: v.optional(v.pipe(Share, v.gtValue(0.5))) }),
  v.strictObject({ kind: v.literal("ranked") }),
  v.strictObject({ kind: v.literal("approval") }),
]);

export type Method = v.InferOutput<typeof MethodSchema>;

/** Something in a channel's history that a proposal is about. */
const AboutSchema = v.strictObject({
  channel: v.pipe(v.string(), v.maxLength(256)),
  position: v.strictObject({
    epoch: v.pipe(v.string(), v.maxLength(32)),
    offset: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    tag: v.pipe(v.string(), v.maxLength(16)),
  }),
});

/** What is put to the vote. */
export const ProposalSchema = v.strictObject({
  title: Text(300),
  text: v.optional(v.pipe(v.string(), v.maxLength(5_000))),
  options: v.pipe(
    v.array(Text(200)),
    v.minLength(2),
    v.maxLength(OPTIONS),
    v.check((options) => new Set(options).size === options.length, "options differ"),
  ),
  method: v.optional(MethodSchema, { kind: "majority" }),
  /** Who may vote, each with a weight, which counts to a millionth. Left out: anyone who may write, each with the weight 1. */
  electorate: v.optional(
    v.pipe(
      v.record(UserSchema, v.pipe(v.number(), v.minValue(0.000_001), v.maxValue(1_000_000))),
      v.check((electorate) => {
        const voters = Object.keys(electorate).length;
        return voters >= 1 && voters <= VOTERS;
      }, `an electorate has 1 to ${VOTERS} voters`),
    ),
  ),
  /** So many have to vote, abstentions among them: a number, or of a named electorate a share (of its weight, where the method is `weighted`). */
  quorum: v.optional(
    v.union([
      v.strictObject({ voters: v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1_000_000)) }),
      v.strictObject({ share: Share }),
    ]),
  ),
  /** When it closes by itself, in milliseconds since 1970. Left out: when somebody closes it. */
  deadline: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(0))),
  /** Close as soon as no vote that is still out could change anything. Takes a named electorate. Default true. */
  early: v.optional(v.boolean(), true),
  /** Those who may stop it, with a reason. Default nobody. */
  veto: v.optional(v.pipe(v.array(UserSchema), v.maxLength(100)), []),
  /** May voters change their mind while it is open? Default true. */
  changes: v.optional(v.boolean(), true),
  /**
   * What is known of the ballots. `open`: all, at once. `hidden`: nothing until it closes, then all. `secret`: nothing until it closes, then
   * the tally alone: nobody will ever know who chose what. Default `open`.
   */
  ballots: v.optional(v.picklist(["open", "hidden", "secret"]), "open"),
  about: v.optional(AboutSchema),
});

export type ProposalInput = v.InferOutput<typeof ProposalSchema>;

/** What a voter chooses, options by their index: one; several, in order of preference or approved of; `null`: abstains. */
export const ChoiceSchema = v.nullable(
  v.union([
    v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(OPTIONS - 1)),
    v.pipe(
      v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(OPTIONS - 1))),
      v.minLength(1),
      v.maxLength(OPTIONS),
      v.check((options) => new Set(options).size === options.length, "each option once"),
    ),
  ]),
);

export type Choice = v.InferOutput<typeof ChoiceSchema>;

/** Votes for each option by its index: their number, or their weight; with `ranked`, first places. */
export type Tally = readonly number[];

/** How many voted, and their weight together; of those, how many abstained. */
export interface Turnout {
  readonly voters: number;
  readonly weight: number;
  readonly abstained: number;
}

export type Outcome =
  | { readonly kind: "decided"; readonly option: number }
  /** So many had the same. */
  | { readonly kind: "tie"; readonly options: readonly number[] }
  /** None had what the method asks for. */
  | { readonly kind: "undecided" }
  | { readonly kind: "no-quorum" }
  | { readonly kind: "vetoed"; readonly by: string; readonly reason: string }
  | { readonly kind: "withdrawn"; readonly by?: string };

/** What became of a proposal. Final. */
export interface Result {
  readonly outcome: Outcome;
  readonly method: Method;
  readonly tally: Tally;
  readonly turnout: Turnout;
  /** With `ranked`: the tally of each round of the run-off. */
  readonly rounds?: readonly Tally[];
  readonly about?: ProposalInput["about"];
  readonly at: number;
}

export interface Proposal extends ProposalInput {
  readonly id: string;
  /** Left out: the application. */
  readonly by?: string;
  readonly at: number;
  readonly turnout: Turnout;
  /** The votes so far; `null` where they are not known before it closes. */
  readonly tally: Tally | null;
  /** `null` while it is open. */
  readonly result: Result | null;
  /** The voter whose first ballot came last; left out: nobody has voted. */
  readonly newest?: string;
}

/** A voter's ballot on a proposal. */
export interface Ballot {
  readonly voter: string;
  readonly weight: number;
  readonly at: number;
  /** What they chose, where that is known; a sealed one is not, to nobody. */
  readonly choice?: Choice;
  readonly sealed?: string;
  /** The voter whose first ballot on this proposal came before this one's; left out: nobody's. */
  readonly before?: string;
}
