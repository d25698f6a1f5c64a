import type { Job, JobState } from "@tandem/model";
import { isOver, leaseOf } from "@tandem/model";

import type { Broken, ModelFact } from "./broken.ts";
import { broken } from "./broken.ts";

/** What only the worker that holds a job can say of it. */
const SAID_BY_WORKERS = new Set(["renewed", "progressed", "logged", "completed"]);

/** M20 to M23: what has to be true of jobs whatever was decided. */
export function jobBroken(
  { type, data, author, time }: ModelFact,
  before: JobState,
  after: JobState,
): Broken | undefined {
  if (type === "started")
    return before.jobs.has(String(data.id)) ? broken("M22", `${data.id} is started, and was`) : undefined;
  const id = String(data.job);
  const job = before.jobs.get(id);
  if (!job) return broken("M22", `${type} of ${id}, which is not there`);
  if (isOver(job)) return broken("M22", `${type} of ${id}, which is ${job.phase.kind}`);
  if (data.token !== undefined && !(Number(data.token) > job.token))
    return broken("M20", `the token ${data.token} of ${id} comes after ${job.token}`);
  const lease = leaseOf(job);
  if (SAID_BY_WORKERS.has(type) && (!lease || lease.user !== author))
    return broken("M20", `${author} says ${type} of ${id}, which is held by ${lease ? lease.user : "nobody"}`);
  return phaseBroken(type, job, data, time) ?? furtherBroken(type, job, after.jobs.get(id), time);
}

function phaseBroken(
  type: string,
  { id, phase, token }: Job,
  data: ModelFact["data"],
  time: number,
): Broken | undefined {
  switch (type) {
    case "claimed":
      return phase.kind === "waiting" ? undefined : broken("M20", `${id} is claimed, and is ${phase.kind}`);
    case "stalled":
      if (phase.kind === "running" && time >= phase.lease.until) return undefined;
      return broken("M21", `${id} is stalled, and is ${phase.kind}`);
    case "returned":
      if (data.lost !== true || (phase.kind === "stalled" && time >= phase.until)) return undefined;
      return broken("M21", `an attempt at ${id} is lost, which is ${phase.kind}`);
    case "ready":
      if (phase.kind === "retrying" && time >= phase.until) return undefined;
      return broken("M21", `${id} waits again before its time`);
    case "cancelled":
      return phase.kind === "running" ? broken("M22", `${id} is cancelled under its worker's hands`) : undefined;
    case "completed": {
      const { token: of = token } = (data.result ?? {}) as { readonly token?: number };
      return of === token ? undefined : broken("M20", `${id} has the result of ${of}, and ${token} holds it`);
    }
    default:
      return undefined;
  }
}

/** What may only rise, and what has a bound. */
function furtherBroken(type: string, before: Job, after: Job | undefined, time: number): Broken | undefined {
  const { id } = before;
  if (!after) return broken("M22", `${id} is gone after ${type}`);
  if (after.progress < before.progress) return broken("M23", `${id} went from ${before.progress} to ${after.progress}`);
  if (type === "progressed" && before.reported !== undefined && time - before.reported < 1_000)
    return broken("M23", `progress of ${id} is stored ${time - before.reported} ms after the last`);
  if (after.failures > after.retries && !isOver(after))
    return broken("M21", `${id} has failed ${after.failures} times of ${after.retries + 1}, and goes on`);
  return undefined;
}
