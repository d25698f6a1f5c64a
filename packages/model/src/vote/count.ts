import type { Choice, Method, Outcome, Tally } from "./proposal.ts";

/** A ballot that was opened. */
export interface Vote {
  readonly choice: Choice;
  readonly weight: number;
}

/** The votes counted, by a method. */
export interface Count {
  readonly outcome: Extract<Outcome, { kind: "decided" | "tie" | "undecided" }>;
  readonly tally: Tally;
  readonly rounds?: readonly Tally[];
}

/** Is this a choice that the method takes, among so many options? */
export function isChoice(method: Method, options: number, choice: Choice): boolean {
  if (choice === null) return true;
  const several = method.kind === "ranked" || method.kind === "approval";
  if (typeof choice === "number") return !several && choice < options;
  return several && choice.every((option) => option < options);
}

/** The options that a choice adds to the running tally. */
export function countedFor(choice: Choice, method: Method): readonly number[] {
  if (choice === null) return [];
  if (typeof choice === "number") return [choice];
  return method.kind === "ranked" ? choice.slice(0, 1) : choice;
}

/** What a vote weighs: its voter's weight where the method asks for it, else 1. */
export function weightIn(method: Method, weight: number): number {
  return method.kind === "weighted" ? weight : 1;
}

/** A millionth: weights are added up to it, so that a sum is the same in whatever order it comes about. */
const PRECISION = 1_000_000;

/** Two votes' weights, or more, together. */
export function plus(a: number, b: number): number {
  return Math.round((a + b) * PRECISION) / PRECISION;
}

export function count(method: Method, options: number, votes: readonly Vote[]): Count {
  if (method.kind === "ranked") return runOff(options, votes);
  const tally = Array.from({ length: options }, () => 0);
  let cast = 0;
  for (const { choice, weight } of votes) {
    if (choice === null) continue;
    const votes = weightIn(method, weight);
    cast = plus(cast, votes);
    for (const option of countedFor(choice, method)) tally[option] = plus(tally[option] ?? 0, votes);
  }
  return { outcome: outcomeOf(method, tally, cast), tally };
}

function outcomeOf(method: Method, tally: Tally, cast: number): Count["outcome"] {
  const most = Math.max(...tally);
  const leaders = tally.flatMap((votes, option) => (votes === most ? [option] : []));
  const [leader = 0, ...others] = leaders;
  if (most === 0) return { kind: "undecided" };
  if (others.length > 0) return { kind: "tie", options: leaders };
  return method.kind === "approval" || suffices(method, most, cast)
    ? { kind: "decided", option: leader }
    : { kind: "undecided" };
}

/** Are so many of all at least a share of them? Divided, as 55 of 100 are 0.55, but 0.55 times 100 is more than 55. */
export function isShare(part: number, all: number, share: number): boolean {
  return part / all >= share;
}

/** Are so many votes of all that were cast enough? */
export function suffices(method: Method, votes: number, cast: number): boolean {
  switch (method.kind) {
    case "unanimous":
      return votes === cast;
    case "super-majority":
      return isShare(votes, cast, method.share);
    case "weighted":
      return method.share === undefined ? votes * 2 > cast : isShare(votes, cast, method.share);
    default:
      return votes * 2 > cast;
  }
}

/**
 * Instant run-off. Where several have the fewest first places, the one goes that had fewer in the round before, and so back; where
 * they never differed, the one that stands last in the list. Where all that are left have the same, it is a tie.
 */
function runOff(options: number, votes: readonly Vote[]): Count {
  const rankings = votes.flatMap(({ choice }) => (Array.isArray(choice) ? [choice as readonly number[]] : []));
  const left = new Set(Array.from({ length: options }, (_, option) => option));
  const rounds: number[][] = [];
  for (;;) {
    const tally = Array.from({ length: options }, () => 0);
    let counted = 0;
    for (const ranking of rankings) {
      const first = ranking.find((option) => left.has(option));
      if (first === undefined) continue;
      tally[first] = (tally[first] ?? 0) + 1;
      counted++;
    }
    rounds.push(tally);
    const [firstRound = []] = rounds;
    const done = (outcome: Count["outcome"]): Count => ({ outcome, tally: firstRound, rounds });
    if (counted === 0) return done({ kind: "undecided" });
    const winner = [...left].find((option) => (tally[option] ?? 0) * 2 > counted);
    if (winner !== undefined) return done({ kind: "decided", option: winner });
    const fewest = Math.min(...[...left].map((option) => tally[option] ?? 0));
    const last = [...left].filter((option) => tally[option] === fewest);
    if (last.length === left.size) return done({ kind: "tie", options: [...left] });
    left.delete(weakest(last, rounds));
  }
}

function weakest(candidates: readonly number[], rounds: readonly Tally[]): number {
  let among = candidates;
  for (const tally of rounds.toReversed()) {
    const fewest = Math.min(...among.map((option) => tally[option] ?? 0));
    among = among.filter((option) => tally[option] === fewest);
    if (among.length === 1) break;
  }
  return among[among.length - 1] ?? 0;
}
