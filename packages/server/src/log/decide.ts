import { mintedAt } from "@tandem/protocol";
import type { Append, AppendResult, LogBounds, Outcome, Refusal } from "./log.ts";
import { APPLICATION } from "./log.ts";

/** What the log knows of a producer on a channel, inside the append transaction. */
export interface Mark {
  /** The last settled sequence number. */
  readonly mark: number;
  /** The digest and the outcome of a settled seq, or `undefined` when it is no longer kept. */
  outcome(seq: number): { readonly digest: string; readonly outcome: Outcome } | undefined;
}

/** The channel's state that an append is decided on, inside the transaction. */
export interface ChannelState {
  readonly archived: boolean;
  /** Of the newest event. */
  readonly time: number;
}

/** What the log knows of a channel's models, inside the transaction. Asked only by appends that have to do with one. */
export interface ModelState {
  /** The tag of a model's history; empty before its first event. */
  tagOf(model: string): string;
  /** The newest token of a lock; `undefined` where nobody holds it. */
  tokenOf(fence: string): number | undefined;
}

export type Decision =
  /** Store the events and what the model has beside them, advance the mark, keep the outcome. */
  | { readonly kind: "store" }
  /** Advance the mark and keep the refusal as the outcome. */
  | { readonly kind: "refuse"; readonly refusal: Refusal }
  /** Change nothing, answer this. */
  | { readonly kind: "answer"; readonly result: AppendResult };

const ARCHIVED: Refusal = {
  code: "channel-archived",
  message: "The channel is archived: it can be read and not written.",
};

/**
 * Decides one append, the same in every log. The producer comes first, before rights, limits and models: a
 * settled seq is answered again as it was; the next one goes on; one further ahead waits for those before it.
 *
 * @param mark `undefined` when the log has no mark of this producer on this channel
 * @param marks how many marks the producer's user has (asked only where a new one would be made)
 * @param horizon marks of producers minted before it may have been forgotten (see `Log.forgetProducers`)
 */
export function decideAppend(
  append: Append,
  mark: Mark | undefined,
  channel: ChannelState,
  models: ModelState,
  bounds: LogBounds,
  marks: () => number,
  horizon: number,
): Decision {
  const { seq, digest, id, user } = append.producer;
  if (mark && seq <= mark.mark) {
    const kept = mark.outcome(seq);
    if (!kept) return { kind: "answer", result: { kind: "unknown" } };
    if (kept.digest !== digest) return { kind: "answer", result: { kind: "body-mismatch" } };
    return { kind: "answer", result: { kind: "settled", outcome: kept.outcome } };
  }
  // Its mark may have been forgotten, and what it asks may have taken effect before. No clock is asked: nodes' clocks
  // differ and jump, and one that is behind would take a forgotten producer for a new one.
  if (!mark && mintedAt(id) < horizon) return { kind: "answer", result: { kind: "unknown" } };
  const expected = (mark?.mark ?? 0) + 1;
  if (seq !== expected) return { kind: "answer", result: { kind: "out-of-sequence", expected } };
  if (!mark && user !== APPLICATION && marks() >= bounds.marksPerUser)
    return { kind: "answer", result: { kind: "producer-quota" } };
  const { fence } = append;
  if (append.refusal) return conflictOf(append, channel, models) ?? { kind: "refuse", refusal: append.refusal };
  if (channel.archived) return { kind: "refuse", refusal: ARCHIVED };
  // Before the model's history: who has lost the lock is told so for good, and need not decide again.
  if (fence && models.tokenOf(fence.name) !== fence.token) return { kind: "refuse", refusal: staleFence(fence.name) };
  return conflictOf(append, channel, models) ?? { kind: "store" };
}

/** The model's history is another than the one on which it was decided, or its events would get another time. */
function conflictOf({ model, events, now }: Append, channel: ChannelState, models: ModelState): Decision | undefined {
  if (!model) return undefined;
  const tag = models.tagOf(model.name);
  const isTimely = events.length === 0 || channel.time <= now;
  return tag === model.expect && isTimely ? undefined : { kind: "answer", result: { kind: "conflict", tag } };
}

function staleFence(name: string): Refusal {
  return { code: "stale-fence", message: `The lock ${name} is not held under this token.` };
}
