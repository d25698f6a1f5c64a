import type { Position, ResetReason } from "@tandem/protocol";
import type { Head } from "./log.ts";
import { UNBORN } from "./log.ts";

/** Where a read goes on: after `offset`, if the history's tag there is `tag` (`undefined`: whatever it is). */
export type Resume =
  | { readonly kind: "after"; readonly offset: number; readonly tag: string | undefined }
  | { readonly kind: "reset"; readonly reason: ResetReason };

/**
 * Whether a read can go on from a position, as far as the channel's row tells; the tag at the offset is left to
 * compare. The same in every log.
 *
 * @param after a position, or an offset that is taken as it is
 */
export function resume(head: Head, after: Position | number): Resume {
  const offset = typeof after === "number" ? after : after.offset;
  // Nothing comes before the start, so it is the start of every life of the channel: as long as that life is kept whole.
  const fromStart = typeof after === "number" || (after.epoch === UNBORN && offset === 0);
  if (!fromStart && after.epoch !== head.epoch) return { kind: "reset", reason: "epoch" };
  if (offset > head.offset) return { kind: "reset", reason: "ahead" };
  if (offset < head.first - 1) return { kind: "reset", reason: "trimmed" };
  return { kind: "after", offset, tag: typeof after === "number" ? undefined : after.tag };
}
