import type { Reason } from "./decision.ts";

/**
 * The reason with which a model refuses what was decided on something that somebody else has changed since. Models that
 * refuse for this use it, so that applications show all conflicts alike.
 */
export interface ConflictReason extends Reason {
  readonly code: "conflict";
  /** What they are at odds about: `["items", "42", "title"]`. */
  readonly path: readonly string[];
  readonly mine: unknown;
  readonly theirs: unknown;
  /** Who changed it; left out: the application itself. */
  readonly by?: string;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** The command that puts mine in the place of theirs, if the model has one. */
  readonly restore?: { readonly command: string; readonly input: unknown };
}

export function isConflict(reason: Reason): reason is ConflictReason {
  return reason.code === "conflict" && Array.isArray((reason as Partial<ConflictReason>).path);
}
