import type { Activity } from "@tandem/protocol";

export type { Activity } from "@tandem/protocol";

/** The port that tells what the person in front of this client does: in use, untouched for a while, out of sight. */
export interface ActivitySource {
  now(): Activity;
  /** Calls `listener` when that has changed. @returns the call that ends it */
  listen(listener: () => void): () => void;
}
