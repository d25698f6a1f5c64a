import type { Limits } from "@tandem/protocol";

/** As much as there can be: what is measured is the server, not its limits on one user or one address, which the whole load shares. */
export const UNLIMITED: Partial<Limits> = {
  publishesPerConnection: 10_000_000,
  publishesPerUser: 10_000_000,
  publishesPerAddress: 10_000_000,
  signalsPerConnection: 10_000_000,
  signalsPerUser: 10_000_000,
  signalsPerAddress: 10_000_000,
  connectionsPerUser: 1_000_000,
  connectionsPerAddress: 1_000_000,
  guestsPerAddress: 1_000_000,
};
