import type { ChannelDefinition } from "@tandem/app";
import { upcast } from "@tandem/app";
import type { ErrorDetails, Limits } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { NewEvent, Refusal } from "../log/log.ts";
import { faultOf } from "./json-text.ts";

/** What someone wants to publish. */
export interface Draft {
  readonly event: string;
  readonly version: number;
  readonly data: unknown;
  readonly author: string | undefined;
  readonly trace?: string | undefined;
}

type Bounds = Pick<Limits, "eventBytes" | "depth">;

/** Longest path and longest message of a schema's issue, in letters: both may quote what was sent. */
const QUOTED = 200;

/** The verdict on a draft before the log is asked. */
export type Verdict = { readonly events: readonly NewEvent[] } | { readonly refusal: Refusal };

/**
 * Checks a draft against the channel type's declaration: the event is declared, its data is brought to the present
 * version and matches the schema. What is stored is the schema's output. Asynchronous only where the schema is.
 * What not every codec could carry to every reader is refused here, whoever publishes it.
 */
export function validate(definition: ChannelDefinition, draft: Draft, bounds: Bounds): Verdict | Promise<Verdict> {
  const declared = definition.events.get(draft.event);
  if (!declared) return refuse("invalid-event", `This channel declares no event "${draft.event}".`);
  if (draft.version > declared.version) {
    return refuse("invalid-event", `"${draft.event}" is declared up to version ${declared.version}.`);
  }
  try {
    const data = upcast(declared, draft.version, draft.data);
    const checked = declared.schema["~standard"].validate(data);
    return checked instanceof Promise
      ? checked.then((result) => conclude(result, draft, declared.version, bounds)).catch(failed)
      : conclude(checked, draft, declared.version, bounds);
  } catch {
    return failed();
  }
}

function failed(): Verdict {
  return refuse("invalid-data", "The event's schema could not take this data.");
}

type Checked = Awaited<
  ReturnType<NonNullable<ReturnType<ChannelDefinition["events"]["get"]>>["schema"]["~standard"]["validate"]>
>;

function conclude(checked: Checked, draft: Draft, version: number, bounds: Bounds): Verdict {
  if (checked.issues) {
    return refuse(
      "invalid-data",
      `The data of "${draft.event}" does not match its schema.`,
      tellableIssues(checked.issues),
    );
  }
  const data = JSON.stringify(checked.value);
  if (data === undefined) return refuse("invalid-data", `The data of "${draft.event}" is no JSON value.`);
  if (Buffer.byteLength(data) > bounds.eventBytes) {
    return refuse("event-too-large", `The data of an event may take ${bounds.eventBytes} bytes of JSON.`);
  }
  const fault = faultOf(data, bounds.depth);
  if (fault) return refuse(fault.code, `The data of an event ${fault.message}`);
  return { events: [{ type: draft.event, version, data, author: draft.author, trace: draft.trace }] };
}

/** What a schema said, as clients are told it. */
export function tellableIssues(issues: NonNullable<Checked["issues"]>): NonNullable<ErrorDetails["issues"]> {
  return issues.slice(0, 10).map((issue) => ({
    path: quoted((issue.path ?? []).map((step) => String(typeof step === "object" ? step.key : step)).join(".")),
    message: quoted(issue.message),
  }));
}

function quoted(text: string): string {
  return text.slice(0, QUOTED).toWellFormed();
}

function refuse(code: Refusal["code"], message: string, issues?: ErrorDetails["issues"]): Verdict {
  return { refusal: { code, message, ...(issues ? { issues } : {}) } };
}

/** A refusal as the error that a caller is given. */
export function toError(refusal: Refusal): TandemError {
  return new TandemError(refusal.code, refusal.message, { issues: refusal.issues, reason: refusal.reason });
}
