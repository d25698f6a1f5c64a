import type { JobError } from "../job/job.ts";

/**
 * What a worker throws to say how its attempt failed. Anything else that it throws counts as recoverable, with the code `error`, or its own `code` and
 * `recoverable` where it has such.
 *
 * @example
 * throw new JobFailure("no-such-file", "There is no file of that name.", { recoverable: false });
 */
export class JobFailure extends Error {
  override readonly name = "JobFailure";
  readonly code: string;
  readonly recoverable: boolean;

  /** @param options `recoverable`: may another attempt go better? Default true */
  constructor(code: string, message: string, { recoverable = true, ...options }: FailureOptions = {}) {
    super(message, options);
    this.code = code;
    this.recoverable = recoverable;
  }
}

interface FailureOptions extends ErrorOptions {
  readonly recoverable?: boolean;
}

/** What was thrown, as it is told of a job. */
export function toJobError(thrown: unknown): JobError {
  const { code, message, recoverable }: Partial<JobError> = typeof thrown === "object" && thrown !== null ? thrown : {};
  return {
    code: typeof code === "string" && code !== "" ? code.slice(0, 64) : "error",
    message: (typeof message === "string" ? message : String(thrown)).slice(0, 1_000),
    recoverable: typeof recoverable === "boolean" ? recoverable : true,
  };
}
