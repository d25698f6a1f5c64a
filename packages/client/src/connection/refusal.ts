import type { ErrorCode, ErrorMessage } from "@tandem/protocol";
import { isErrorCode, TandemError } from "@tandem/protocol";

/** A code of the table: one that a newer server knows alone is `internal` here. */
export function knownCode(code: string): ErrorCode {
  return isErrorCode(code) ? code : "internal";
}

/** What this client refuses by itself. */
const OWN = {
  closed: "The client was closed.",
  disconnected: "There is no connection.",
  "event-too-large": "The data is longer than the server takes.",
  "invalid-data": "The data has no form in JSON.",
  "queue-full": "Too many writes wait.",
  "too-many-requests": "Too many requests wait.",
} satisfies Partial<Record<ErrorCode, string>>;

export function ownRefusal(code: keyof typeof OWN): TandemError {
  return new TandemError(code, OWN[code]);
}

/** The error that an application gets for the server's refusal. */
export function refusal(answer: ErrorMessage): TandemError {
  return new TandemError(knownCode(answer.code), answer.message, answer);
}
