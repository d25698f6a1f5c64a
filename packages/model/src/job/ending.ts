import type { Made } from "../decision.ts";
import type { Job, JobError, Phase } from "./job.ts";
import { given, LOST } from "./job.ts";
import type { JobEvents } from "./state.ts";

/** When time itself acts on a job in this phase. */
export function dueOf(phase: Phase): number | undefined {
  switch (phase.kind) {
    case "running":
    case "cancelling":
      return phase.lease.until;
    case "stalled":
    case "retrying":
      return phase.until;
    default:
      return undefined;
  }
}

/** What becomes of a job whose time has come. @param next the next token, where it takes one */
export function overdue(one: Job, next: () => number): Made<JobEvents> {
  switch (one.phase.kind) {
    case "running":
      return { type: "stalled", data: { job: one.id } };
    case "stalled":
      return one.failures < one.retries ? returned(one, next(), true) : failed(one, next(), LOST);
    case "cancelling":
      return cancelled(one, next());
    default:
      return { type: "ready", data: { job: one.id } };
  }
}

/** It waits again. @param lost the attempt counts as failed */
export function returned({ id }: Job, token: number, lost: boolean): Made<JobEvents> {
  return { type: "returned", data: { job: id, token, lost } };
}

/** An attempt failed: it is tried again after a growing wait, or it is over. */
export function failed({ id, failures, retries, backoff }: Job, token: number, error: JobError): Made<JobEvents> {
  const data = { job: id, token, error };
  if (error === LOST || !error.recoverable || failures >= retries) return { type: "failed", data };
  const wait = Math.min(backoff.most, backoff.first * 2 ** failures);
  return { type: "failed", data: { ...data, retry: wait } };
}

/** Its end by who asked for it, as far as it is being cancelled already. */
export function cancelled(
  { id, phase }: Job,
  token: number,
  why: { by?: string; reason?: string } = {},
): Made<JobEvents> {
  const { by, reason } = phase.kind === "cancelling" ? phase : why;
  return {
    type: "cancelled",
    data: { job: id, token, ...(by === undefined ? {} : { by }), ...given({ reason }) },
  };
}
