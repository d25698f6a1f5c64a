import type { Pace } from "../measured/orders.ts";

/** The work that every system of this scenario does. */
export const WORK = {
  subscribers: 500,
  /** Publishes on their way that have not reached every subscriber. Whoever has so many waits: the rule is the same for all. */
  backlog: 512,
  /** Pairs of subscribers whose deliveries are compared: one waits for company, the other never does. */
  pairs: 10,
} as const;

export const CHANNEL = "feed:all";

export const PACES = {
  paced: { kind: "paced", perSecond: 1_000 },
  burst: { kind: "burst", perTurn: 10 },
} as const satisfies Record<string, Pace>;
