import type { Context, Made } from "../decision.ts";
import { Rejection, reasons, reject, UNPREDICTABLE } from "../decision.ts";
import { tokensAfter } from "../fencing.ts";
import type { CommandDefinition, Fence } from "../model.ts";
import { defineModel } from "../model.ts";
import { Table } from "../table.ts";
import { cancelled, dueOf, failed, overdue, returned } from "./ending.ts";
import type { Job } from "./job.ts";
import {
  CancelSchema,
  ClaimSchema,
  CompleteSchema,
  FailSchema,
  given,
  HeldSchema,
  isOver,
  JobInputSchema,
  LogSchema,
  leaseOf,
  ProgressSchema,
} from "./job.ts";
import type { JobEvents, JobState } from "./state.ts";
import { jobEvents } from "./state.ts";

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
  const { open: most = 100, keep = 100, lines = 100, lease: usual = 15_000, grace = 10_000 } = options;
  const { rights = {}, cancel: cancels = "anyone" } = options;
  if (!(most >= 1 && most <= OPEN)) throw new RangeError(`open is from 1 to ${OPEN}`);
  if (!(keep >= 1 && lines >= 1 && grace >= 1)) throw new RangeError("keep, lines and grace are above 0");
  const work = rights.work ?? "write";
  return defineModel({
    name: "job",
    initial: (): JobState => ({ jobs: Table.empty(), lines: Table.empty(), last: 0 }),
    reasons: reasons<JobReason>(),
    events: jobEvents({ keep, lines, grace }),
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
        decide: (state, { worker, job: id, lease = usual }, { sealing, time }) => {
          // Which job it will be is not for a client to guess: a worker begins when it has the job.
          if (!sealing) return UNPREDICTABLE;
          if (id !== undefined && !state.jobs.has(id)) return reject("unknown-job");
          const found = id === undefined ? longestWaiting(state) : waiting(state.jobs.get(id));
          if (!found) return reject("nothing-waiting");
          const ms = Math.min(Math.max(lease, LEASE.least), LEASE.most);
          return [{ type: "claimed", data: { job: found.id, token: nextToken(state, time), worker, lease: ms } }];
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
            : [{ type: "completed", data: { ...input, token: nextToken(state, context.time) } }];
        },
      },
      /** The attempt failed. It is tried again, if that may help and there are attempts left. */
      fail: {
        input: FailSchema,
        right: work,
        decide: (state, { error, ...input }, context) => {
          const found = heldOf(state, input, context);
          if (found instanceof Rejection) return found;
          const token = nextToken(state, context.time);
          return found.phase.kind === "cancelling" ? [cancelled(found, token)] : [failed(found, token, error)];
        },
      },
      /** The worker gives it back unfinished: it waits for another. Where it is being cancelled, that is its end. */
      release: {
        input: HeldSchema,
        right: work,
        decide: (state, input, context) => {
          const found = heldOf(state, input, context);
          if (found instanceof Rejection) return found;
          const token = nextToken(state, context.time);
          return found.phase.kind === "cancelling" ? [cancelled(found, token)] : [returned(found, token, false)];
        },
      },
      /** Ends it. Its worker, if it has one, is given until the end of its lease to stop. */
      cancel: {
        input: CancelSchema,
        right: rights.cancel ?? "write",
        decide: (state, { job: id, ...why }, { user, admin, time }) => {
          const found = state.jobs.get(id);
          if (!found) return reject("unknown-job");
          if (isOver(found)) return reject("ended");
          if (cancels === "starter" && !admin && found.by !== user) return reject("not-yours");
          if (found.phase.kind === "cancelling") return [];
          if (found.phase.kind === "running") return [{ type: "cancelling", data: { job: id, ...why } }];
          const token = nextToken(state, time);
          return [cancelled(found, token, { ...(user === undefined ? {} : { by: user }), ...given(why) })];
        },
      },
    },
    deadline: (state) => {
      const deadlines = openOf(state).flatMap(({ phase }) => dueOf(phase) ?? []);
      return deadlines.length > 0 ? Math.min(...deadlines) : undefined;
    },
    onDeadline: (state, { time }) => {
      const token = tokensAfter(state.last ?? 0, time);
      return openOf(state).flatMap((one): readonly Made<JobEvents>[] => {
        const due = dueOf(one.phase);
        return due === undefined || due > time ? [] : [overdue(one, token)];
      });
    },
    fence: ({ type, data }): Fence | undefined =>
      "token" in data ? { name: data.job, token: data.token, free: type !== "claimed" } : undefined,
    touches: ({ data }) => [`jobs/${"id" in data ? data.id : data.job}`],
  });
}

function nextToken({ last = 0 }: JobState, time: number): number {
  return tokensAfter(last, time)();
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
function longestWaiting(state: JobState): Job | undefined {
  let first: Job | undefined;
  for (const one of state.jobs.values()) {
    if (!waiting(one)) continue;
    if (!first || one.at < first.at || (one.at === first.at && one.id < first.id)) first = one;
  }
  return first;
}
