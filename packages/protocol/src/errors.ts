const final = { retryable: false } as const;
const passing = { retryable: true } as const;

/**
 * The one table of what can go wrong: every error a client can be told, whether trying the same again can help, and
 * the close code where the connection ends with it. What each means stands in `meanings.ts`, which browsers need not
 * load: an error of the server brings its sentence along. `docs/errors.md` is made from both.
 */
export const ERRORS = {
  // What was sent
  "bad-frame": { ...final, close: 4400 },
  "bad-message": final,
  "too-deep": final,
  "too-many-messages": { ...final, close: 4406 },
  "too-many-errors": { ...final, close: 4407 },
  "request-in-use": final,
  "unsupported-version": { ...final, close: 4402 },
  // Who sent it
  "not-authenticated": { ...final, close: 4401 },
  "already-authenticated": final,
  "token-invalid": { ...final, close: 4401 },
  "token-expired": { ...passing, close: 4004 },
  "token-revoked": { ...final, close: 4403 },
  "wrong-user": final,
  "guests-not-admitted": { ...final, close: 4401 },
  "needs-auth": passing,
  "keys-unavailable": { ...passing, close: 4007 },
  "handshake-timeout": { ...passing, close: 4005 },
  "needs-auth-timeout": { ...passing, close: 4006 },
  // What it may do
  forbidden: final,
  // Subscriptions
  "already-subscribed": final,
  "not-subscribed": final,
  "too-many-subscriptions": final,
  "too-many-requests": passing,
  "not-yet": passing,
  "invalid-filter": final,
  "too-slow": { ...passing, close: 4008 },
  "credit-violation": { ...final, close: 4408 },
  // Presence, signals, durable subscriptions
  "already-watching": final,
  "not-watching": final,
  "no-instance": final,
  "not-a-member": passing,
  "too-many-watches": final,
  "too-many-members": passing,
  "state-too-large": final,
  "too-many-signals": final,
  "signal-too-large": final,
  "too-many-following": final,
  // Publishing
  "invalid-event": final,
  "invalid-data": final,
  "event-too-large": final,
  "out-of-sequence": passing,
  "body-mismatch": final,
  "unknown-outcome": final,
  "producer-invalid": final,
  "producer-quota": passing,
  "channel-archived": final,
  // Models
  "invalid-command": final,
  rejected: final,
  conflict: passing,
  "fence-required": final,
  "stale-fence": final,
  "model-stopped": final,
  "state-gone": final,
  // The server
  "rate-limited": passing,
  overloaded: passing,
  "storage-unavailable": passing,
  "no-progress": { ...passing, close: 4001 },
  "ping-timeout": { ...passing, close: 4002 },
  "shutting-down": { ...passing, close: 4500 },
  "too-many-connections": { ...passing, close: 4502 },
  "server-full": { ...passing, close: 4501 },
  internal: { ...passing, close: 4003 },
  // Told by the client library only
  "queue-full": final,
  disconnected: passing,
  closed: final,
  "token-unavailable": passing,
} as const satisfies Record<string, { retryable: boolean; close?: number }>;

export type ErrorCode = keyof typeof ERRORS;

/** The close code with which a connection ends for this error, or `undefined` where it goes on. */
export function closeCodeOf(code: ErrorCode): number | undefined {
  const entry: { readonly retryable: boolean; readonly close?: number } = ERRORS[code];
  return entry.close;
}

/** Is this text one of the table's codes? */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERRORS, text);
}

/**
 * What a client does after a close: 4000–4099 reconnect and resume, 4400–4499 do not come back, 4500–4599 come back
 * after the server's hint. Codes of RFC 6455 mean resume, but for those that say that the client itself is wrong.
 */
export function afterClose(code: number): "resume" | "stop" | "wait" {
  if (code >= 4400 && code <= 4499) return "stop";
  if (code >= 4500 && code <= 4599) return "wait";
  return code === 1002 || code === 1003 || code === 1007 || code === 1008 || code === 1009 ? "stop" : "resume";
}

export interface ErrorDetails {
  /** Milliseconds after which trying again makes sense. */
  readonly retryAfter?: number | undefined;
  /** With `out-of-sequence`: the sequence number that the server waits for. With `conflict` of a list: its version by then. */
  readonly expected?: number | undefined;
  /** With `invalid-data`: what the schema said, at most ten. */
  readonly issues?: readonly { readonly path: string; readonly message: string }[] | undefined;
  /** With `rejected`: the model's reason. */
  readonly reason?: { readonly code: string } | undefined;
  readonly cause?: unknown;
}

/** The one error class: a code of the table, a sentence for people (`errorOf` takes the table's), and what helps to act on it. */
export class TandemError extends Error {
  override readonly name = "TandemError";
  readonly code: ErrorCode;
  readonly retryAfter: number | undefined;
  readonly expected: number | undefined;
  readonly issues: ErrorDetails["issues"];
  readonly reason: ErrorDetails["reason"];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfter = details.retryAfter;
    this.expected = details.expected;
    this.issues = details.issues;
    this.reason = details.reason;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}
