import type { Filter, Lane } from "@tandem/protocol";
import { LANES } from "@tandem/protocol";
import { EVENTS, SUBJECTS } from "./app.ts";
import type { Random } from "./random.ts";

/** Filters of which most subscriptions choose: those that say the same are shared. */
const COMMON: readonly Filter[] = [{ types: ["memo"] }, { where: { about: 1 } }, { where: { about: { min: 2 } } }];

/** The lane that a subscription names: mostly none. */
export function drawLane(random: Random): Lane | undefined {
  return random.chance(0.4) ? random.pick(LANES) : undefined;
}

/** The filter that a subscription asks for: mostly none, else one of a few, or one of its own. */
export function drawFilter(random: Random): Filter | undefined {
  if (random.chance(0.6)) return undefined;
  if (random.chance(0.6)) return random.pick(COMMON);
  const subjects = Array.from({ length: random.whole(1, SUBJECTS) }, () => random.whole(0, SUBJECTS));
  const where = random.pick([
    { about: { in: subjects } },
    { about: { min: random.whole(0, 2), max: random.whole(1, SUBJECTS) } },
    { about: null },
  ]);
  return random.chance(0.3) ? { types: [random.pick(EVENTS)], where } : { where };
}
