import type { Context, Made } from "../decision.ts";
import { Rejection, reasons, reject, UNPREDICTABLE } from "../decision.ts";
import type { CommandDefinition } from "../model.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";
import type { Job, JobError, JobInput, Lease, LogLine, Phase } from "./job.ts";
import {
  CancelSchema,
  ClaimSchema,
  CompleteSchema,
  FailSchema,
  HeldSchema,
  isOver,
  JobInputSchema,
  LogSchema,
  leaseOf,
  ProgressSchema,
} from "./job.ts";

/** Least milliseconds between two checkpoints of a job's progress. */
export const CHECKPOINT_MS = 1_000;

/** Bounds of a lease, in milliseconds. */
const LEASE = { least: 1_000, most: 600_000 };

/** Most jobs that can be open whatever the options say: one deadline may have to act on all of them. */
const OPEN = 200;

type Right = NonNullable<CommandDefinition<never, never, never, never>["right"]>;

export interface JobOptions {
  /** Most jobs that are not over, 200 at most. Default 100. */
  readonly open?: number;
  /** Jobs that are over and kept in the state; the channel's history keeps them all. Default 100. */
  readonly keep?: number;
  /** Lines kept of each job's log, the newest. Default 100. */
  readonly lines?: number;
  /** Milliseconds of a lease, where the worker asks for none: from 1 s to 10 min. Default 15 s. */
  readonly lease?: number;
  /** Milliseconds for which a job whose lease has ended is `stalled`: its own worker may go on with it. Default 10 s. */
  readonly grace?: number;
  /** The rights that it takes to start and to cancel jobs, and to work on them. Default `write` each. */
  readonly rights?: { readonly start?: Right; readonly cancel?: Right; readonly work?: Right };
  /** Who of those that have the right may cancel a job: anyone, or only who started it, and admins. Default `anyone`. */
  readonly cancel?: "anyone" | "starter";
}

export interface JobState {
  readonly jobs: Table<Job>;
  /** The jobs' logs, by `{job}/{number of the line}`, from 0. */
  readonly lines: Table<LogLine>;
}

type JobReason =
  /** There is one of this id already: its maker used a command's nonce again. */
  | { readonly code: "exists" }
  | { readonly code: "unknown-job" }
  | { readonly code: "too-many-open"; readonly most: number }
  /** It is over, for good. */
  | { readonly code: "ended" }
  /** There is nothing to claim. */
  | { readonly code: "nothing-waiting" }
  /** Another holds the job now, or nobody: what this worker does is of no account any more. */
  | { readonly code: "stale-lease" }
  /** Again in `after` milliseconds. */
  | { readonly code: "too-soon"; readonly after: number }
  | { readonly code: "not-yours" };

interface Ending {
  readonly job: string;
  readonly token: number;
}

type JobEvents = {
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

const LOST: JobError = { code: "lost", message: "Its worker was not heard of any more.", recoverable: true };

/**
 * Long work that many watch: jobs that workers claim under a lease, report on, and end, once. A job whose worker dies is `stalled`, and then given to another; what
 * the old one still says is refused. Progress never goes back. A job that is over stays as it is.
 *
 * The lock named by a job's id rises with each lease: a channel type that `protect`s writes by it refuses those of a worker that has lost its job.
 *
 * @example
 * channel({ events: {}, models: { jobs: job() }, signals: { ticks: JobTicksSchema } })
 * @throws RangeError on options that cannot be
 */
export function job(options: JobOptions = {}) {
  const { open: most = 100, keep = 100, lines: kept = 100, lease: usual = 15_000, grace = 10_000 } = options;
  const { rights = {}, cancel: cancels = "anyone" } = options;
  if (!(most >= 1 && most <= OPEN)) throw new RangeError(`open is from 1 to ${OPEN}`);
  if (!(keep >= 1 && kept >= 1 && grace >= 1)) throw new RangeError("keep, lines and grace are above 0");
  const work = rights.work ?? "write";
  return defineModel({
    name: "job",
    initial: (): JobState => ({ jobs: Table.empty(), lines: Table.empty() }),
    reasons: reasons<JobReason>(),
    events: {
      started: (state, data: JobEvents["started"], { author, time }): JobState => {
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
        return { jobs: jobs.set(data.id, made), lines };
      },
      claimed: (state, { job: id, token, worker, lease: ms }: JobEvents["claimed"], { author, time }): JobState =>
        changed(state, id, (before) => {
          const user = author === undefined ? {} : { user: author };
          const lease: Lease = { worker, ...user, ms, grace, until: time + ms, since: time, from: before.progress };
          return { ...before, token, attempts: before.attempts + 1, phase: { kind: "running", lease } };
        }),
      renewed: (state, { job: id }: JobEvents["renewed"], { time }): JobState =>
        changed(state, id, (before) => alive(before, time)),
      progressed: (state, { job: id, progress, ...told }: JobEvents["progressed"], { time }): JobState =>
        changed(state, id, (before) => ({
          ...alive(before, time),
          ...told,
          progress: Math.max(before.progress, progress),
          reported: time,
        })),
      logged: (state, { job: id, lines }: JobEvents["logged"], { time }): JobState => {
        const before = state.jobs.get(id);
        if (!before) return state;
        const { logged, attempts } = before;
        let table = state.lines;
        for (const [index, line] of lines.entries()) {
          table = table.set(`${id}/${logged + index}`, { at: time, attempt: attempts, line });
          table = table.delete(`${id}/${logged + index - kept}`);
        }
        return {
          jobs: state.jobs.set(id, { ...alive(before, time), logged: logged + lines.length }),
          lines: table,
        };
      },
      stalled: (state, { job: id }: JobEvents["stalled"], { time }): JobState =>
        changed(state, id, (before) => {
          const lease = leaseOf(before);
          return lease ? { ...before, phase: { kind: "stalled", lease, until: time + grace } } : before;
        }),
      returned: (state, { job: id, token, lost }: JobEvents["returned"], { time }): JobState =>
        changed(state, id, (before) => ({
          ...before,
          token,
          failures: before.failures + (lost ? 1 : 0),
          ...(lost ? { error: LOST } : {}),
          phase: { kind: "waiting", since: time },
        })),
      failed: (state, { job: id, token, error, retry }: JobEvents["failed"], { time }): JobState =>
        changed(state, id, (before) => ({
          ...before,
          token,
          error,
          failures: before.failures + 1,
          phase: retry === undefined ? { kind: "failed", at: time, error } : { kind: "retrying", until: time + retry },
        })),
      ready: (state, { job: id }: JobEvents["ready"], { time }): JobState =>
        changed(state, id, (before) => ({ ...before, phase: { kind: "waiting", since: time } })),
      cancelling: (state, { job: id, ...why }: JobEvents["cancelling"], { author }): JobState =>
        changed(state, id, (before) => {
          const lease = leaseOf(before);
          const by = author === undefined ? {} : { by: author };
          return lease ? { ...before, phase: { kind: "cancelling", lease, ...by, ...given(why) } } : before;
        }),
      cancelled: (state, { job: id, token, ...why }: JobEvents["cancelled"], { time }): JobState =>
        changed(state, id, (before) => ({ ...before, token, phase: { kind: "cancelled", at: time, ...why } })),
      completed: (state, { job: id, token, ...result }: JobEvents["completed"], { time }): JobState =>
        changed(state, id, (before) => ({
          ...before,
          token,
          progress: 1,
          phase: { kind: "completed", at: time, ...result },
        })),
    },
    commands: {
      /** Puts work in line. */
      start: {
        input: JobInputSchema,
        right: rights.start ?? "write",
        decide: (state, input, { id }) => {
          if (openOf(state).length >= most) return reject("too-many-open", { most });
          const name = id();
          if (state.jobs.has(name)) return reject("exists");
          return [{ type: "started", data: { ...input, id: name } }];
        },
        inverse: (_, __, events) => {
          const [made] = events;
          return made?.type === "started" ? { command: "cancel", input: { job: made.data.id } } : undefined;
        },
      },
      /** Takes a job under a lease. Any sign of life (`progress`, `log`, `heartbeat`) lets the lease last on. */
      claim: {
        input: ClaimSchema,
        right: work,
        decide: (state, { worker, job: id, lease = usual }, { sealing }) => {
          // Which job it will be is not for a client to guess: a worker begins when it has the job.
          if (!sealing) return UNPREDICTABLE;
          if (id !== undefined && !state.jobs.has(id)) return reject("unknown-job");
          const found = id === undefined ? next(state) : waiting(state.jobs.get(id));
          if (!found) return reject("nothing-waiting");
          const ms = Math.min(Math.max(lease, LEASE.least), LEASE.most);
          return [{ type: "claimed", data: { job: found.id, token: found.token + 1, worker, lease: ms } }];
        },
      },
      /** Nothing new, but it is being worked on. */
      heartbeat: {
        input: HeldSchema,
        right: work,
        decide: (state, input, context) => {
          const found = heldOf(state, input, context);
          if (found instanceof Rejection) return found;
          return found.phase.kind === "cancelling" ? [] : [{ type: "renewed", data: { job: found.id } }];
        },
      },
      /** A checkpoint of progress: once a second at most. What is less than was told before counts as that. */
      progress: {
        input: ProgressSchema,
        right: work,
        decide: (state, { token, progress, ...told }, context) => {
          const found = heldOf(state, { job: told.job, token }, context);
          if (found instanceof Rejection) return found;
          const since = found.reported === undefined ? CHECKPOINT_MS : context.time - found.reported;
          if (since < CHECKPOINT_MS) return reject("too-soon", { after: CHECKPOINT_MS - since });
          return [{ type: "progressed", data: { ...told, progress: Math.max(found.progress, progress) } }];
        },
      },
      /** Adds lines to the job's log. */
      log: {
        input: LogSchema,
        right: work,
        decide: (state, { token, ...data }, context) => {
          const found = heldOf(state, { job: data.job, token }, context);
          return found instanceof Rejection ? found : [{ type: "logged", data }];
        },
      },
      /** It is done. Counts also while it is being cancelled: what was done is done. */
      complete: {
        input: CompleteSchema,
        right: work,
        decide: (state, input, context) => {
          const found = heldOf(state, input, context);
          return found instanceof Rejection
            ? found
            : [{ type: "completed", data: { ...input, token: found.token + 1 } }];
        },
      },
      /** The attempt failed. It is tried again, if that may help and there are attempts left. */
      fail: {
        input: FailSchema,
        right: work,
        decide: (state, { error, ...input }, context) => {
          const found = heldOf(state, input, context);
          if (found instanceof Rejection) return found;
          return found.phase.kind === "cancelling" ? [cancelled(found)] : [failed(found, error)];
        },
      },
      /** The worker gives it back unfinished: it waits for another. Where it is being cancelled, that is its end. */
      release: {
        input: HeldSchema,
        right: work,
        decide: (state, input, context) => {
          const found = heldOf(state, input, context);
          if (found instanceof Rejection) return found;
          return found.phase.kind === "cancelling" ? [cancelled(found)] : [returned(found, false)];
        },
      },
      /** Ends it. Its worker, if it has one, is given until the end of its lease to stop. */
      cancel: {
        input: CancelSchema,
        right: rights.cancel ?? "write",
        decide: (state, { job: id, ...why }, { user, admin }) => {
          const found = state.jobs.get(id);
          if (!found) return reject("unknown-job");
          if (isOver(found)) return reject("ended");
          if (cancels === "starter" && !admin && found.by !== user) return reject("not-yours");
          if (found.phase.kind === "cancelling") return [];
          if (found.phase.kind === "running") return [{ type: "cancelling", data: { job: id, ...why } }];
          return [cancelled(found, { ...(user === undefined ? {} : { by: user }), ...given(why) })];
        },
      },
    },
    deadline: (state) => {
      const deadlines = openOf(state).flatMap(({ phase }) => dueOf(phase) ?? []);
      return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
    },
    onDeadline: (state, { time }) =>
      openOf(state).flatMap((one): readonly Made<JobEvents>[] => {
        const due = dueOf(one.phase);
        return due === undefined || due > time ? [] : [overdue(one)];
      }),
    fence: (event) => ("token" in event.data ? { name: event.data.job, token: event.data.token } : undefined),
    touches: ({ data }) => [`jobs/${"id" in data ? data.id : data.job}`],
  });
}

/** The job that a worker speaks of, if it is the one that holds it. */
function heldOf({ jobs }: JobState, { job: id, token }: { job: string; token: number }, { user }: Context) {
  const found = jobs.get(id);
  if (!found) return reject("unknown-job");
  if (isOver(found)) return reject("ended");
  const lease = leaseOf(found);
  return lease && found.token === token && lease.user === user ? found : reject("stale-lease");
}

function openOf({ jobs }: JobState): Job[] {
  return [...jobs.values()].filter((one) => !isOver(one));
}

function waiting(found: Job | undefined): Job | undefined {
  return found?.phase.kind === "waiting" ? found : undefined;
}

/** The job that was started first of those that wait. */
function next(state: JobState): Job | undefined {
  let first: Job | undefined;
  for (const one of state.jobs.values()) {
    if (!waiting(one)) continue;
    if (!first || one.at < first.at || (one.at === first.at && one.id < first.id)) first = one;
  }
  return first;
}

function dueOf(phase: Phase): number | undefined {
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
function overdue(one: Job): Made<JobEvents> {
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

function returned({ id, token }: Job, lost: boolean): Made<JobEvents> {
  return { type: "returned", data: { job: id, token: token + 1, lost } };
}

function failed({ id, token, failures, retries, backoff }: Job, error: JobError): Made<JobEvents> {
  const data = { job: id, token: token + 1, error };
  if (error === LOST || !error.recoverable || failures >= retries) return { type: "failed", data };
  const wait = Math.min(backoff.most, backoff.first * 2 ** failures);
  return { type: "failed", data: { ...data, retry: wait } };
}

/** Its end by who asked for it, as far as it is being cancelled already. */
function cancelled({ id, token, phase }: Job, why: { by?: string; reason?: string } = {}): Made<JobEvents> {
  const { by, reason } = phase.kind === "cancelling" ? phase : why;
  return {
    type: "cancelled",
    data: { job: id, token: token + 1, ...(by === undefined ? {} : { by }), ...given({ reason }) },
  };
}

function given({ reason }: { readonly reason?: string | undefined }): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
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
function forgetOldest(state: JobState, keep: number, kept: number): JobState {
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
