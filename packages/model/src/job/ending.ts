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

/** What becomes of a job whose time has come. */
export function overdue(one: Job): Made<JobEvents> {
  switch (one.phase.kind) {
    case "running":
      return { type: "stalled", data: { job: one.id } };
    case "stalled":
      return one.failures < one.retries ? returned(one, true) : failed(one, LOST);
    case "cancelling":
      return cancelled(one);
    default:
      return { type: "ready", data: { job: one.id } };
  }
}

/** It waits again. @param lost the attempt counts as failed */
export function returned({ id, token }: Job, lost: boolean): Made<JobEvents> {
  return { type: "returned", data: { job: id, token: token + 1, lost } };
}

/** An attempt failed: it is tried again after a growing wait, or it is over. */
export function failed({ id, token, failures, retries, backoff }: Job, error: JobError): Made<JobEvents> {
  const data = { job: id, token: token + 1, error };
  if (error === LOST || !error.recoverable || failures >= retries) return { type: "failed", data };
  const wait = Math.min(backoff.most, backoff.first * 2 ** failures);
  return { type: "failed", data: { ...data, retry: wait } };
}

/** Its end by who asked for it, as far as it is being cancelled already. */
export function cancelled({ id, token, phase }: Job, why: { by?: string; reason?: string } = {}): Made<JobEvents> {
  const { by, reason } = phase.kind === "cancelling" ? phase : why;
  return {
    type: "cancelled",
    data: { job: id, token: token + 1, ...(by === undefined ? {} : { by }), ...given({ reason }) },
  };
}
