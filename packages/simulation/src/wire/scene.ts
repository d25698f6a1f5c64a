import type { Limits } from "@tandem/protocol";
import type { Clock } from "../clock.ts";
import type { Editions } from "../editions.ts";
import type { Lists } from "../following/lists.ts";
import type { History } from "../history.ts";
import type { Ledger } from "../ledger.ts";
import type { Desks } from "../models/desks.ts";
import type { Revocations } from "../revocations.ts";
import type { Scope } from "../scope.ts";
import type { Tally } from "../tally.ts";
import type { Tokens } from "../tokens.ts";

/** What the watchers of a schedule hold what is said against. */
export interface Scene {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly history: History;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly tally: Tally;
  /** As the nodes tell them. */
  readonly limits: Limits;
  readonly scope: Scope;
  readonly lists: Lists;
  readonly editions: Editions;
  /** What a few reads of the store take now, at most, in milliseconds. */
  readMs(): number;
  readonly desks: Desks;
}
