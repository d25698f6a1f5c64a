import { createDecipheriv } from "node:crypto";
import { bodyDigest } from "@tandem/protocol";
import type { Chosen } from "./election.ts";
import { shuffled } from "./election.ts";
import type { Evidence, Trail } from "./evidence.ts";

/** How much a trail looks like the second option; only compared with that of another voter of the same vote. `undefined`: cannot tell. */
type Guesser = (trail: Trail) => number | undefined;

/** How well the best guesser did. */
export interface Verdict {
  readonly guesser: string;
  readonly guessers: number;
  /** Pairs in which it could tell one from the other, and in how many of them it was right. */
  readonly pairs: number;
  readonly right: number;
  /** How far from the half, in standard deviations of as many coins. */
  readonly deviations: number;
}

/**
 * A guesser that knows nothing is off by this many standard deviations with a probability below 2·exp(-6²/2) = 3·10⁻⁸ (Hoeffding): of some
 * 1,300 guessers any, below 4·10⁻⁵. One that is right in 2 of 3 of 400 pairs is off by 6.7.
 */
export const CHANCE = 6;

/**
 * Lets every guesser guess, and tells how the best did.
 *
 * The published tally tells something by itself: where five of six chose the first option, "the first" is mostly right. To take that out, guesses are
 * made within pairs: of each vote, voters who chose the one are put together with voters who chose the other, by lot, and the guesser says which
 * is which. Since each chose by a coin of their own, the two ways round are equally likely given the tally, whatever else is known but does not depend on the
 * choice: each pair is a fair coin. Who is always wrong knows as much as who is always right.
 */
export function bestGuess(evidence: Evidence, chosen: readonly Chosen[]): Verdict {
  const pairs = pairsOf(chosen).map((pair) =>
    pair.map(({ proposal, voter }) => evidence.trails.get(`${proposal}/${voter}`)),
  );
  let best: Verdict | undefined;
  const guessers = guessersOf(evidence);
  for (const [guesser, guess] of guessers) {
    let told = 0;
    let right = 0;
    for (const [first, second] of pairs) {
      if (!first || !second) throw new Error("a ballot left no trail");
      const [a, b] = [guess(first), guess(second)];
      if (a === undefined || b === undefined || a === b) continue;
      told++;
      if (b > a) right++;
    }
    const deviations = told === 0 ? 0 : Math.abs(2 * right - told) / Math.sqrt(told);
    const verdict = { guesser, guessers: guessers.size, pairs: told, right, deviations };
    if (!best || verdict.deviations > best.deviations) best = verdict;
  }
  if (!best) throw new Error("nobody guessed");
  return best;
}

/** Who chose the first option, and who the second, of one vote each. */
function pairsOf(chosen: readonly Chosen[]): (readonly [Chosen, Chosen])[] {
  const pairs: (readonly [Chosen, Chosen])[] = [];
  for (const ballots of Map.groupBy(chosen, ({ proposal }) => proposal).values()) {
    const [first, second] = [0, 1].map((choice) => shuffled(ballots.filter((ballot) => ballot.choice === choice)));
    for (const [at, ballot] of (first ?? []).entries()) {
      const other = second?.[at];
      if (other) pairs.push([ballot, other]);
    }
  }
  return pairs;
}

function guessersOf({ trails, tallies, keys }: Evidence): Map<string, Guesser> {
  const all = [...trails.values()];
  const guessers = new Map<string, Guesser>([
    ["what stands there to be read", ({ read }) => read],
    ["sealed texts opened with keys that are left", (trail) => openedOf(trail, keys.get(trail.proposal) ?? [])],
    ["digests of both options", digestOf],
    ["who has the same sealed text as so many others", clusters(all, tallies)],
    [
      "was the last ballot the same as the first",
      ({ sealed }) => (sealed.length > 1 ? Number(sealed[0] === sealed.at(-1)) : undefined),
    ],
  ]);
  for (const name of Object.keys(all[0]?.numbers ?? {})) {
    guessers.set(name, ({ numbers }) => numbers[name]);
    guessers.set(`${name}, odd or even`, ({ numbers }) => Math.floor(numbers[name] ?? 0) % 2);
  }
  for (const name of Object.keys(all[0]?.texts ?? {})) {
    guessers.set(`bytes of ${name}`, ({ texts }) => texts[name]?.length);
    guessers.set(`sum of ${name}`, ({ texts }) => texts[name]?.reduce((sum, byte) => sum + byte, 0));
    const bits = 8 * Math.max(...all.map(({ texts }) => texts[name]?.length ?? 0));
    for (let bit = 0; bit < bits; bit++) {
      guessers.set(`bit ${bit} of ${name}`, ({ texts }) => ((texts[name]?.[bit >> 3] ?? 0) >> (bit & 7)) & 1);
    }
  }
  return guessers;
}

/** Bytes before what is sealed: AES-256-GCM's nonce and tag. */
const [NONCE, TAG] = [12, 16];

function openedOf({ sealed }: Trail, keys: readonly string[]): number | undefined {
  const bytes = Buffer.from(sealed.at(-1) ?? "", "base64url");
  for (const key of keys) {
    try {
      const decipher = createDecipheriv("aes-256-gcm", Buffer.from(key, "base64url"), bytes.subarray(0, NONCE));
      decipher.setAuthTag(bytes.subarray(NONCE, NONCE + TAG));
      const text = Buffer.concat([decipher.update(bytes.subarray(NONCE + TAG)), decipher.final()]);
      return Number(text.toString().trim());
    } catch {
      // Another key, or none.
    }
  }
  return undefined;
}

/** Inputs are few: where a digest comes from nothing but the input, both can be tried. */
function digestOf({ proposal, voter, digests }: Trail): number | undefined {
  const digest = digests.at(-1);
  for (const choice of [0, 1]) {
    for (const input of [{ proposal, choice }, { choice, proposal }, { proposal, choice, voter }, { choice }, choice]) {
      const text = JSON.stringify(input);
      for (const body of [text, `${voter}${text}`, `${proposal}${text}`]) {
        if (bodyDigest("votes.cast", 1, body) === digest) return choice;
      }
    }
  }
  return undefined;
}

/** Where equal choices were sealed alike, the tally tells which is which. */
function clusters(all: readonly Trail[], tallies: Evidence["tallies"]): Guesser {
  const bodies = (trail: Trail) =>
    Buffer.from(trail.sealed.at(-1) ?? "", "base64url")
      .subarray(NONCE + TAG)
      .toString("hex");
  const sizes = new Map<string, number>();
  for (const trail of all) {
    const key = `${trail.proposal}/${bodies(trail)}`;
    sizes.set(key, (sizes.get(key) ?? 0) + 1);
  }
  return (trail) => {
    const size = sizes.get(`${trail.proposal}/${bodies(trail)}`) ?? 0;
    const [first = 0, second = 0] = tallies.get(trail.proposal) ?? [];
    return first === second ? undefined : Number(size === second) - Number(size === first);
  };
}
