import * as v from "valibot";

/** Most bytes of JSON that a job's input, its checkpoint and its result may take, each. */
const VALUE_BYTES = 16_384;

/** Most lines of one `log` command. */
export const LINES = 50;

const encoder = new TextEncoder();

/** A JSON value of bounded size. `undefined` is none. */
const ValueSchema = v.pipe(
  v.unknown(),
  v.check((value) => {
    const json = JSON.stringify(value);
    return json !== undefined && encoder.encode(json).length <= VALUE_BYTES;
  }, `a JSON value of ${VALUE_BYTES} bytes at most`),
);

const Text = (most: number) => v.pipe(v.string(), v.minLength(1), v.maxLength(most));
const Whole = (least: number, most: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least), v.maxValue(most));
const DAY = 86_400_000;

const JobIdSchema = Text(64);

/** What is to be done. */
export const JobInputSchema = v.strictObject({
  title: v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(300)),
  /** The names of its steps, in order, where they are known. */
  steps: v.optional(v.pipe(v.array(Text(100)), v.minLength(1), v.maxLength(50))),
  /** Milliseconds that it is thought to take. */
  estimate: v.optional(Whole(1, 30 * DAY)),
  /** What the worker is given: JSON, 16 KiB at most. */
  input: v.optional(ValueSchema),
  /** How often it is tried again after an attempt that failed, or was lost with its worker. Default 3. */
  retries: v.optional(Whole(0, 100), 3),
  /** Milliseconds before it is tried again after an attempt that failed: `first`, then twice as long each time, `most` at most. Default 1 s and 60 s. */
  backoff: v.optional(v.strictObject({ first: Whole(0, DAY), most: Whole(0, DAY) }), { first: 1_000, most: 60_000 }),
});

export const ClaimSchema = v.strictObject({
  /** The worker's own id, another one for each of its claims: it knows by it which job it was given. */
  worker: Text(64),
  /** This job only. Left out: the one that waits longest. */
  job: v.optional(JobIdSchema),
  /** Milliseconds after which it is thought lost when nothing is heard of it. Within the model's bounds. */
  lease: v.optional(Whole(1, DAY)),
});

/** Under which lease a worker speaks. */
const held = { job: JobIdSchema, token: Whole(1, Number.MAX_SAFE_INTEGER) };

export const HeldSchema = v.strictObject(held);

export const ProgressSchema = v.strictObject({
  ...held,
  /** From 0 to 1. */
  progress: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  step: v.optional(Text(100)),
  text: v.optional(v.pipe(v.string(), v.maxLength(500))),
  /** What the next attempt may go on from: JSON, 16 KiB at most. Left out: as it was. */
  checkpoint: v.optional(ValueSchema),
});

export const LogSchema = v.strictObject({
  ...held,
  lines: v.pipe(v.array(v.pipe(v.string(), v.maxLength(500))), v.minLength(1), v.maxLength(LINES)),
});

export const CompleteSchema = v.strictObject({ ...held, result: v.optional(ValueSchema) });

const ErrorSchema = v.strictObject({
  code: Text(64),
  message: v.pipe(v.string(), v.maxLength(1_000)),
  /** May another attempt go better? */
  recoverable: v.boolean(),
});

export const FailSchema = v.strictObject({ ...held, error: ErrorSchema });

export const CancelSchema = v.strictObject({
  job: JobIdSchema,
  reason: v.optional(v.pipe(v.string(), v.maxLength(500))),
});

export type JobInput = v.InferOutput<typeof JobInputSchema>;

/** Why an attempt failed. `code` `lost`: its worker was not heard of any more. */
export type JobError = v.InferOutput<typeof ErrorSchema>;

/** A worker's hold of a job. */
export interface Lease {
  /** The worker's own id. */
  readonly worker: string;
  /** Whose worker it is; left out: the application's own. */
  readonly user?: string;
  /** How long it lasts from each sign of life, in milliseconds. */
  readonly ms: number;
  /** How long after its end its worker may still come back, in milliseconds. */
  readonly grace: number;
  /** When it ends if nothing is heard, in milliseconds since 1970. */
  readonly until: number;
  /** When it began, and how far the job was then. */
  readonly since: number;
  readonly from: number;
}

/**
 * Where a job is.
 *
 *     waiting ─ claim ─▸ running ─ complete ─▸ completed
 *        ▴ ▴                │ │ └── fail ──▸ retrying (─▸ waiting) or failed
 *        │ └─ grace ── stalled ◂─ lease ends; a sign of life ─▸ running
 *        └── release ───────┘
 *
 * `cancel` makes it `cancelled`; one that runs is `cancelling` until its worker has stopped, or its lease ends. `completed`, `failed` and `cancelled` are final.
 */
export type Phase =
  /** For a worker, since then. */
  | { readonly kind: "waiting"; readonly since: number }
  | { readonly kind: "running"; readonly lease: Lease }
  /** Nothing was heard of its worker. It waits for a worker again after `until`, or has failed. */
  | { readonly kind: "stalled"; readonly lease: Lease; readonly until: number }
  | { readonly kind: "retrying"; readonly until: number }
  | { readonly kind: "cancelling"; readonly lease: Lease; readonly by?: string; readonly reason?: string }
  | { readonly kind: "completed"; readonly at: number; readonly result?: unknown }
  | { readonly kind: "failed"; readonly at: number; readonly error: JobError }
  | { readonly kind: "cancelled"; readonly at: number; readonly by?: string; readonly reason?: string };

export interface Job extends JobInput {
  readonly id: string;
  /** Who started it; left out: the application itself. */
  readonly by?: string;
  readonly at: number;
  readonly phase: Phase;
  /** Rises with each lease that begins, and each that ends: commands, and writes to the channel that the job's lock protects, under an older one are refused. */
  readonly token: number;
  /** Attempts that were begun, and those of them that failed or were lost. */
  readonly attempts: number;
  readonly failures: number;
  /** The furthest that any attempt has come, from 0 to 1: never goes back. `reported`: when it was told last. */
  readonly progress: number;
  readonly reported?: number;
  readonly step?: string;
  readonly text?: string;
  readonly checkpoint?: unknown;
  /** Why the last attempt failed that did. */
  readonly error?: JobError;
  /** Lines that were logged, those that are not kept any more among them. */
  readonly logged: number;
}

/** A line of a job's log. */
export interface LogLine {
  readonly at: number;
  /** Of which attempt, from 1. */
  readonly attempt: number;
  readonly line: string;
}

/** Is this for good? */
export function isOver({ phase }: Job): boolean {
  return phase.kind === "completed" || phase.kind === "failed" || phase.kind === "cancelled";
}

/** The lease under which it is worked on now. */
export function leaseOf({ phase }: Job): Lease | undefined {
  return "lease" in phase ? phase.lease : undefined;
}

/** The error of an attempt that was lost. */
export const LOST: JobError = { code: "lost", message: "Its worker was not heard of any more.", recoverable: true };

/** A reason, where one was given. */
export function given({ reason }: { readonly reason?: string | undefined }): { readonly reason?: string } {
  return reason === undefined ? {} : { reason };
}
