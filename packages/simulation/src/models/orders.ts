import type { Job, JobState } from "@tandem/model";
import { isOver, leaseOf } from "@tandem/model";
import type { Random } from "../random.ts";
import type { Draft } from "./drafts.ts";

/** What a job of a schedule asks of who works on it. */
export interface Order {
  readonly steps: number;
  /** Mean milliseconds of each. */
  readonly ms: number;
  /** Attempts that fail before one goes well. */
  readonly fails: number;
  /** `never`: until it is told to stop. `broken`: no attempt can go well. `deaf`: it does not hear that it should stop. */
  readonly ends: "well" | "broken" | "deaf" | "never";
}

/** A command to jobs, by somebody who looks at them: mostly new ones, and now and then what only a worker should say. */
export function jobDraft(random: Random, n: number, user: string | undefined, state: JobState | undefined): Draft {
  const jobs = state ? [...state.jobs.values()] : [];
  const open = jobs.filter((job) => !isOver(job));
  const own = open.find((one) => leaseOf(one)?.user === user);
  if (own && random.chance(0.4)) return heldDraft(random, n, own);
  const job =
    open.length > 0 && random.chance(0.9) ? random.pick(open) : jobs.length > 0 ? random.pick(jobs) : undefined;
  if (!job || random.chance(0.4)) return { command: "start", input: started(random, n) };
  const what = random.weighted({ cancel: 12, claim: 4, held: 5 });
  switch (what) {
    case "cancel":
      return { command: what, input: { job: job.id, ...(random.chance(0.5) && { reason: `reason ${n}` }) } };
    case "claim":
      return {
        command: what,
        input: { worker: `by-hand-${n}`, lease: 1_000, ...(random.chance(0.3) && { job: job.id }) },
      };
    case "held":
      return heldDraft(random, n, job);
  }
}

function started(random: Random, n: number): object {
  const order: Order = {
    steps: random.whole(1, 3),
    ms: random.pick([60, 300, 900]),
    fails: random.pick([0, 0, 0, 1, 2]),
    ends: random.weighted({ well: 10, broken: 1, deaf: 2, never: 2 }),
  };
  return {
    title: `job ${n}`,
    input: order,
    retries: random.whole(0, 3),
    backoff: { first: random.pick([0, 200, 800]), most: 1_200 },
  };
}

/** What a worker says of a job, said by hand: under its token or the one before. */
function heldDraft(random: Random, n: number, { id, token }: Job): Draft {
  const held = { job: id, token: Math.max(1, token - (random.chance(0.6) ? 0 : 1)) };
  const what = random.weighted({ heartbeat: 1, progress: 3, log: 1, complete: 2, fail: 1, release: 1 });
  switch (what) {
    case "progress":
      return { command: what, input: { ...held, progress: random.pick([0, 0.3, 0.6]) } };
    case "log":
      return { command: what, input: { ...held, lines: [`line ${n}`] } };
    case "complete":
      return { command: what, input: { ...held, result: held } };
    case "fail":
      return {
        command: what,
        input: { ...held, error: { code: "by-hand", message: "no", recoverable: random.chance(0.5) } },
      };
    default:
      return { command: what, input: held };
  }
}
