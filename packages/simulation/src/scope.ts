import type { Limits } from "@tandem/protocol";
import type { Random } from "./random.ts";

/** What a schedule has in it beside channels and those who read and write them. */
export interface Scope {
  /** Users have channels of their own, and follow others. */
  readonly following: boolean;
  /** The application has durable consumers. */
  readonly consumers: boolean;
  /** One event type is in its second version, and some nodes are of the release before. */
  readonly editions: boolean;
  /** The nodes' bounds, where they are not the climate's. */
  readonly limits: Partial<Limits>;
}

/** Everything: what the definition of all schedules together declares. */
export const WHOLE: Scope = { following: true, consumers: true, editions: true, limits: {} };

/** Share of schedules that have any of it. */
const SOME = 0.4;

/** Channels that a user may follow, where that bound is to be met. */
const FEW = 4;

/** @param random a source of its own: schedules that have nothing of it are as they would be without it */
export function drawScope(random: Random): Scope {
  if (!random.chance(SOME)) return { following: false, consumers: false, editions: false, limits: {} };
  const [following, consumers, editions] = [random.chance(0.6), random.chance(0.6), random.chance(0.6)];
  return { following, consumers, editions, limits: following && random.chance(0.5) ? { following: FEW } : {} };
}
