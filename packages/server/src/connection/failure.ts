import { closeCodeOf, errorOf, TandemError } from "@tandem/protocol";
import type { Logger } from "@tandem/runtime";

/** What a client is told of an error. What is no `TandemError` is one of our own: it goes into the log, and is told as `internal`. */
export function tellable(error: unknown, logger: Logger): TandemError {
  if (error instanceof TandemError) return error;
  logger.error({ error, noise: "connection" }, "what a client asked for could not be handled");
  return errorOf("internal");
}

/** The close code for an error. Where the table has none: whoever would only do the same again is not asked to come back. */
export function closeCodeFor(error: TandemError): number {
  return closeCodeOf(error.code) ?? (error.retryable ? 4003 : 4400);
}
