import type { EventInfo } from "../model.ts";
import type { Table } from "../table.ts";
import type { Job, JobError, JobInput, Lease, LogLine } from "./job.ts";
import { given, isOver, LOST, leaseOf } from "./job.ts";

export interface JobState {
  readonly jobs: Table<Job>;
  /** The jobs' logs, by `{job}/{number of the line}`, from 0. */
  readonly lines: Table<LogLine>;
  /** The newest token of all jobs, also of those that are forgotten: none ever falls. Left out in a state that was stored before there was one. */
  readonly last?: number;
}

interface Ending {
  readonly job: string;
  readonly token: number;
}

export type JobEvents = {
  started: JobInput & { readonly id: string };
  claimed: Ending & { readonly worker: string; readonly lease: number };
  renewed: { readonly job: string };
  progressed: {
    readonly job: string;
    readonly progress: number;
    readonly step?: string | undefined;
    readonly text?: string | undefined;
    readonly checkpoint?: unknown;
  };
  logged: { readonly job: string; readonly lines: readonly string[] };
  stalled: { readonly job: string };
  /** `lost`: the attempt counts as failed. */
  returned: Ending & { readonly lost: boolean };
  /** `retry`: milliseconds until it waits again; left out: it is over. */
  failed: Ending & { readonly error: JobError; readonly retry?: number };
  ready: { readonly job: string };
  cancelling: { readonly job: string; readonly reason?: string | undefined };
  cancelled: Ending & { readonly by?: string; readonly reason?: string };
  completed: Ending & { readonly result?: unknown };
};

/** What of the state is kept, and for how long. */
interface Bounds {
  readonly keep: number;
  readonly lines: number;
  readonly grace: number;
}

type Evolution = {
  readonly [N in keyof JobEvents]: (state: JobState, data: JobEvents[N], event: EventInfo) => JobState;
};

/** The state after each event. */
export function jobEvents({ keep, lines: kept, grace }: Bounds): Evolution {
  return {
    started: (state, data, { author, time }) => {
      const { jobs, lines } = forgetOldest(state, keep, kept);
      const made: Job = {
        ...data,
        ...(author === undefined ? {} : { by: author }),
        at: time,
        phase: { kind: "waiting", since: time },
        token: 0,
        attempts: 0,
        failures: 0,
        progress: 0,
        logged: 0,
      };
      return { ...state, jobs: jobs.set(data.id, made), lines };
    },
    claimed: (state, { job: id, token, worker, lease: ms }, { author, time }) =>
      changed(raised(state, token), id, (before) => {
        const user = author === undefined ? {} : { user: author };
        const lease: Lease = { worker, ...user, ms, grace, until: time + ms, since: time, from: before.progress };
        return { ...before, token, attempts: before.attempts + 1, phase: { kind: "running", lease } };
      }),
    renewed: (state, { job: id }, { time }) => changed(state, id, (before) => alive(before, time)),
    progressed: (state, { job: id, progress, ...told }, { time }) =>
      changed(state, id, (before) => ({
        ...alive(before, time),
        ...told,
        progress: Math.max(before.progress, progress),
        reported: time,
      })),
    logged: (state, { job: id, lines }, { time }) => {
      const before = state.jobs.get(id);
      if (!before) return state;
      const { logged, attempts } = before;
      let table = state.lines;
      for (const [index, line] of lines.entries()) {
        table = table.set(`${id}/${logged + index}`, { at: time, attempt: attempts, line });
        table = table.delete(`${id}/${logged + index - kept}`);
      }
      return {
        ...state,
        jobs: state.jobs.set(id, { ...alive(before, time), logged: logged + lines.length }),
        lines: table,
      };
    },
    stalled: (state, { job: id }, { time }) =>
      changed(state, id, (before) => {
        const lease = leaseOf(before);
        return lease ? { ...before, phase: { kind: "stalled", lease, until: time + grace } } : before;
      }),
    returned: (state, { job: id, token, lost }, { time }) =>
      changed(raised(state, token), id, (before) => ({
        ...before,
        token,
        failures: before.failures + (lost ? 1 : 0),
        ...(lost ? { error: LOST } : {}),
        phase: { kind: "waiting", since: time },
      })),
    failed: (state, { job: id, token, error, retry }, { time }) =>
      changed(raised(state, token), id, (before) => ({
        ...before,
        token,
        error,
        failures: before.failures + 1,
        phase: retry === undefined ? { kind: "failed", at: time, error } : { kind: "retrying", until: time + retry },
      })),
    ready: (state, { job: id }, { time }) =>
      changed(state, id, (before) => ({ ...before, phase: { kind: "waiting", since: time } })),
    cancelling: (state, { job: id, ...why }, { author }) =>
      changed(state, id, (before) => {
        const lease = leaseOf(before);
        const by = author === undefined ? {} : { by: author };
        return lease ? { ...before, phase: { kind: "cancelling", lease, ...by, ...given(why) } } : before;
      }),
    cancelled: (state, { job: id, token, ...why }, { time }) =>
      changed(raised(state, token), id, (before) => ({
        ...before,
        token,
        phase: { kind: "cancelled", at: time, ...why },
      })),
    completed: (state, { job: id, token, ...result }, { time }) =>
      changed(raised(state, token), id, (before) => ({
        ...before,
        token,
        progress: 1,
        phase: { kind: "completed", at: time, ...result },
      })),
  };
}

function raised(state: JobState, token: number): JobState {
  return { ...state, last: Math.max(state.last ?? 0, token) };
}

function changed(state: JobState, id: string, change: (before: Job) => Job): JobState {
  const before = state.jobs.get(id);
  return before ? { ...state, jobs: state.jobs.set(id, change(before)) } : state;
}

/** A sign of life: the lease lasts on, and one that was thought lost is back. What is being cancelled has its time. */
function alive(before: Job, time: number): Job {
  const { phase } = before;
  if (phase.kind !== "running" && phase.kind !== "stalled") return before;
  const lease = { ...phase.lease, until: Math.max(phase.lease.until, time + phase.lease.ms) };
  return { ...before, phase: { kind: "running", lease } };
}

/** Room for one more: the state forgets the jobs that ended first, with their logs. */
function forgetOldest(state: JobState, keep: number, kept: number): Pick<JobState, "jobs" | "lines"> {
  const over = [...state.jobs.values()].filter(isOver);
  if (over.length < keep) return state;
  const ended = ({ phase }: Job) => ("at" in phase ? phase.at : 0);
  over.sort((a, b) => ended(a) - ended(b) || (a.id < b.id ? -1 : 1));
  let { jobs, lines } = state;
  for (const { id, logged } of over.slice(0, over.length - keep + 1)) {
    jobs = jobs.delete(id);
    for (let at = Math.max(0, logged - kept); at < logged; at++) lines = lines.delete(`${id}/${at}`);
  }
  return { jobs, lines };
}
