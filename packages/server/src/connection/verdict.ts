import type { ChannelDefinition, Write } from "@tandem/app";
import type { Publish } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";
import type { NewEvent, Refusal } from "../log/log.ts";
import type { Question } from "../model/decision.ts";

/** What a publish or a command comes to before its channel sees it: events, something to ask a model, or a final refusal. */
export type Verdict =
  | { readonly events: readonly NewEvent[] }
  | { readonly question: Question }
  | { readonly refusal: Refusal };

export const FORBIDDEN: Verdict = { refusal: { code: "forbidden", message: errorOf("forbidden").message } };

/** Why a write may not be, by the lock that its channel type's `protect` names; `undefined` where it may. */
export function lockFault(
  { protect }: ChannelDefinition,
  write: Write,
  fence: Publish["fence"],
  logger: Logger,
): Verdict | undefined {
  try {
    const lock = protect?.(write);
    return lock === undefined || fence?.name === lock ? undefined : unfenced(lock);
  } catch (error) {
    // It is asked about what clients write, before a schema has seen that.
    logger.error({ error, noise: "protect" }, "a channel type's protect function failed: the write is refused");
    return { refusal: { code: "invalid-data", message: "It could not be told which lock this write needs." } };
  }
}

/** A write that lacks the token of its lock. */
function unfenced(lock: string): Verdict {
  return { refusal: { code: "fence-required", message: `This write needs the fencing token of the lock "${lock}".` } };
}
