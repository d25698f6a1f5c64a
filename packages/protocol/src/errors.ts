/**
 * The one table of what can go wrong: every error a client can be told, whether trying the same again can help, and
 * the close code where the connection ends with it. What each means stands in `meanings.ts`, which browsers need not
 * load: an error of the server brings its sentence along. `docs/errors.md` is made from both.
 */
export const ERRORS = {
  // What was sent
  "bad-frame": { retryable: false, close: 4400 },
  "bad-message": { retryable: false },
  "too-deep": { retryable: false },
  "too-many-messages": { retryable: false, close: 4406 },
  "too-many-errors": { retryable: false, close: 4407 },
  "request-in-use": { retryable: false },
  "unsupported-version": { retryable: false, close: 4402 },
  // Who sent it
  "not-authenticated": { retryable: false, close: 4401 },
  "already-authenticated": { retryable: false },
  "token-invalid": { retryable: false, close: 4401 },
  "token-expired": { retryable: true, close: 4004 },
  "token-revoked": { retryable: false, close: 4403 },
  "wrong-user": { retryable: false },
  "guests-not-admitted": { retryable: false, close: 4401 },
  "needs-auth": { retryable: true },
  "keys-unavailable": { retryable: true, close: 4007 },
  "handshake-timeout": { retryable: true, close: 4005 },
  "needs-auth-timeout": { retryable: true, close: 4006 },
  // What it may do
  forbidden: { retryable: false },
  // Subscriptions
  "already-subscribed": { retryable: false },
  "not-subscribed": { retryable: false },
  "too-many-subscriptions": { retryable: false },
  "too-many-requests": { retryable: true },
  "not-yet": { retryable: true },
  "invalid-filter": { retryable: false },
  "too-slow": { retryable: true, close: 4008 },
  "credit-violation": { retryable: false, close: 4408 },
  // Presence, signals, durable subscriptions
  "already-watching": { retryable: false },
  "not-watching": { retryable: false },
  "no-instance": { retryable: false },
  "not-a-member": { retryable: true },
  "too-many-watches": { retryable: false },
  "too-many-members": { retryable: true },
  "state-too-large": { retryable: false },
  "too-many-signals": { retryable: false },
  "signal-too-large": { retryable: false },
  "too-many-following": { retryable: false },
  // Publishing
  "invalid-event": { retryable: false },
  "invalid-data": { retryable: false },
  "event-too-large": { retryable: false },
  "out-of-sequence": { retryable: true },
  "body-mismatch": { retryable: false },
  "unknown-outcome": { retryable: false },
  "producer-invalid": { retryable: false },
  "producer-quota": { retryable: true },
  "channel-archived": { retryable: false },
  // Models
  "invalid-command": { retryable: false },
  rejected: { retryable: false },
  conflict: { retryable: true },
  "fence-required": { retryable: false },
  "stale-fence": { retryable: false },
  "model-stopped": { retryable: false },
  "state-gone": { retryable: false },
  // The server
  "rate-limited": { retryable: true },
  overloaded: { retryable: true },
  "storage-unavailable": { retryable: true },
  "no-progress": { retryable: true, close: 4001 },
  "ping-timeout": { retryable: true, close: 4002 },
  "shutting-down": { retryable: true, close: 4500 },
  "too-many-connections": { retryable: true, close: 4502 },
  "server-full": { retryable: true, close: 4501 },
  internal: { retryable: true, close: 4003 },
  // Told by the client library only
  "queue-full": { retryable: false },
  disconnected: { retryable: true },
  closed: { retryable: false },
  "token-unavailable": { retryable: true },
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
  /** With `out-of-sequence`: the sequence number that the server waits for. */
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
