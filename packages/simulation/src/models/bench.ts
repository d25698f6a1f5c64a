import { feed, inbox, job, stream, tally } from "@tandem/model";

/** Milliseconds for which a job whose lease has ended is its worker's to come back to. */
const GRACE_MS = 1_500;

/** Seconds after which a notification that nobody has answered is pushed. */
export const PUSH_AFTER_S = 2;

/** The bounds of what is kept: small, so that they are met. */
export const KEPT = { jobs: 6, lines: 5, activities: 6, readers: 3, notifications: 6, options: 3 };

/** The models of every bench: what people work on, and what they are told of. */
export const workshopModels = {
  jobs: job({ open: 8, keep: KEPT.jobs, lines: KEPT.lines, lease: 3_000, grace: GRACE_MS, cancel: "anyone" }),
  feed: feed({ keep: KEPT.activities, readers: KEPT.readers }),
  inbox: inbox({ keep: KEPT.notifications, pushAfter: PUSH_AFTER_S }),
  tally: tally({ once: true, most: KEPT.options }),
};

/** …and of every text. */
export const textModels = {
  stream: stream({ length: 2_000, chunks: 40, rights: { stop: "read" } }),
};

export type BenchModel = keyof typeof workshopModels;

export const BENCH_MODELS = Object.keys(workshopModels) as BenchModel[];

/** What a memo of a job begins with: it takes the job's lock. */
const OF_JOB = "of job ";

/** The text of a memo that takes the lock of a job. */
export function memoOf(job: string): string {
  return `${OF_JOB}${job}`;
}

/** The lock of the job that a memo is of. */
export function jobLock(data: unknown): string | undefined {
  const { text } = (data ?? {}) as { readonly text?: unknown };
  return typeof text === "string" && text.startsWith(OF_JOB) ? `jobs/${text.slice(OF_JOB.length)}` : undefined;
}
