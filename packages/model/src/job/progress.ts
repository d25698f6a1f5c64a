import * as v from "valibot";
import type { Job } from "./job.ts";
import { leaseOf } from "./job.ts";

/** Most jobs in one signal of ticks. */
export const TICKS = 16;

/** How far one job is, between its checkpoints. */
const TickSchema = v.strictObject({
  token: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
  progress: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
});

/**
 * The signal by which workers tell of progress between checkpoints, by the ids of their jobs. Declare it among the channel's signals.
 *
 * @example
 * channel({ events: {}, models: { jobs: job() }, signals: { ticks: JobTicksSchema } })
 */
export const JobTicksSchema = v.pipe(
  v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(64)), TickSchema),
  v.check((ticks) => Object.keys(ticks).length <= TICKS, `${TICKS} jobs at most`),
);

export type JobTicks = v.InferOutput<typeof JobTicksSchema>;

/**
 * How far a job is: what is stored of it, or what its worker has signalled since. A signal of a worker that does not hold the job any more counts for nothing.
 *
 * @param ticks the newest signal of each device that signals
 */
export function progressOf(job: Job, ticks: Iterable<JobTicks> = []): number {
  let furthest = job.progress;
  if (!leaseOf(job)) return furthest;
  for (const devices of ticks) {
    const tick = Object.hasOwn(devices, job.id) ? devices[job.id] : undefined;
    if (tick?.token === job.token && tick.progress > furthest) furthest = tick.progress;
  }
  return furthest;
}

/**
 * Milliseconds that a job will take yet, as far as its pace in this attempt tells, or before there is any its estimate. `undefined`: nobody can tell, or
 * nobody works on it.
 *
 * @param now the server's time, in milliseconds since 1970
 */
export function timeLeft(job: Job, now: number): number | undefined {
  const lease = leaseOf(job);
  if (!lease) return undefined;
  const { progress, reported = 0, estimate } = job;
  const took = reported - lease.since;
  const came = progress - lease.from;
  if (took > 0 && came > 0) return Math.max(0, ((1 - progress) * took) / came - Math.max(0, now - reported));
  return estimate === undefined ? undefined : Math.max(0, estimate * (1 - lease.from) - Math.max(0, now - lease.since));
}
