import type { ErrorCode, ErrorMessage } from "@tandem/protocol";
import { isErrorCode, TandemError } from "@tandem/protocol";

/** A code of the table: one that a newer server knows alone is `internal` here. */
export function knownCode(code: string): ErrorCode {
  return isErrorCode(code) ? code : "internal";
}

/** The error that an application gets for the server's refusal. */
export function refusal({ code, message, retryAfter, expected, issues }: ErrorMessage): TandemError {
  return new TandemError(knownCode(code), message, { retryAfter, expected, issues });
}
