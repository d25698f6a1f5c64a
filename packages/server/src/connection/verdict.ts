import { errorOf } from "@tandem/protocol";
import type { NewEvent, Refusal } from "../log/log.ts";
import type { Question } from "../model/decision.ts";

/** What a publish or a command comes to before its channel sees it: events, something to ask a model, or a final refusal. */
export type Verdict =
  | { readonly events: readonly NewEvent[] }
  | { readonly question: Question }
  | { readonly refusal: Refusal };

export const FORBIDDEN: Verdict = { refusal: { code: "forbidden", message: errorOf("forbidden").message } };

/** A write that lacks the token of its lock. */
export function unfenced(lock: string): Verdict {
  return { refusal: { code: "fence-required", message: `This write needs the fencing token of the lock "${lock}".` } };
}
