import type { Position, ResetReason } from "@tandem/protocol";
import type { Batch } from "./batch.ts";
import type { Outgoing } from "./message.ts";

/** Who hears of a channel's events as they come: the way back up the flow, inverted. */
export interface Subscriber {
  /** New events, in order, each batch from where the one before it ended. */
  deliver(batch: Batch): void;
  /** The channel's history does not go on from what was delivered: it goes on from `position`. */
  reset(position: Position, reason: ResetReason): void;
}

/** What there is after a position: a batch, nothing (the position is the head), or no way on from there. */
export type Next =
  | { readonly kind: "batch"; readonly batch: Batch }
  | { readonly kind: "head" }
  | { readonly kind: "reset"; readonly reason: ResetReason; readonly position: Position };

/** What a subscription catches up from: recent events at once, older ones from the log. */
export interface Source {
  /** Never rejects: where the log cannot be read now, it answers once it can. */
  next(after: Position): Next | Promise<Next>;
  /** States that there is nothing for a subscriber after offset `from` up to `to`. */
  covered(from: number, to: Position): Outgoing;
  /** Tells this subscriber nothing any more. */
  unsubscribe(subscriber: Subscriber): void;
}
