/**
 * The one table of what can go wrong: every error a client can be told, whether trying the same again can help, and
 * the close code where the connection ends with it. `docs/errors.md` is made from it.
 */
export const ERRORS = {
  // What was sent
  "bad-frame": { retryable: false, close: 4400, meaning: "The frame is not a list of messages of this codec." },
  "bad-message": { retryable: false, meaning: "A message lacks a field, has one too many, or has a wrong value." },
  "too-deep": { retryable: false, meaning: "A message is nested deeper than the limit `depth`." },
  "too-many-messages": {
    retryable: false,
    close: 4406,
    meaning: "A frame holds more messages than the limit `frameMessages`.",
  },
  "too-many-errors": {
    retryable: false,
    close: 4407,
    meaning: "The connection sent too many wrong messages in a row.",
  },
  "request-in-use": { retryable: false, meaning: "A request with this id is still waiting for its answer." },
  "unsupported-version": { retryable: false, close: 4402, meaning: "The server does not speak this protocol version." },
  // Who sent it
  "not-authenticated": { retryable: false, close: 4401, meaning: "The first message on a connection must be `hello`." },
  "already-authenticated": {
    retryable: false,
    meaning: "A connection says `hello` once; a new token goes into `refresh`.",
  },
  "token-invalid": { retryable: false, close: 4401, meaning: "The token is not one this server accepts." },
  "token-expired": { retryable: true, close: 4004, meaning: "The token has expired: come back with a fresh one." },
  "token-revoked": { retryable: false, close: 4403, meaning: "The token, its user or its tenant was revoked." },
  "wrong-user": { retryable: false, meaning: "A refresh must keep the user and the tenant of the connection." },
  "guests-not-admitted": {
    retryable: false,
    close: 4401,
    meaning: "This application admits no guests: bring a token.",
  },
  "needs-auth": { retryable: true, meaning: "The token expired or was revoked: send `refresh`, then ask again." },
  "keys-unavailable": {
    retryable: true,
    close: 4007,
    meaning: "The keys that tokens are checked with cannot be fetched now.",
  },
  "handshake-timeout": { retryable: true, close: 4005, meaning: "No `hello` came in time." },
  "needs-auth-timeout": { retryable: true, close: 4006, meaning: "No fresh token came in time." },
  // What it may do
  forbidden: { retryable: false, meaning: "No such channel, or no right to do this there." },
  // Subscriptions
  "already-subscribed": { retryable: false, meaning: "The connection is subscribed to this channel." },
  "not-subscribed": { retryable: false, meaning: "The connection is not subscribed to this channel." },
  "too-many-subscriptions": { retryable: false, meaning: "More subscriptions than the limit `subscriptions`." },
  "too-many-requests": {
    retryable: true,
    meaning: "More requests wait than the limits `requests` and `inFlight` allow.",
  },
  "not-yet": { retryable: true, meaning: "The channel has not reached the position named in `atLeast`." },
  "invalid-filter": {
    retryable: false,
    meaning: "The filter names an event type or a field that the channel's type does not declare for it.",
  },
  "too-slow": {
    retryable: true,
    close: 4008,
    meaning: "The client does not keep up with a channel whose type lets nobody fall behind.",
  },
  "credit-violation": { retryable: false, close: 4408, meaning: "Frames were acknowledged that were never sent." },
  // Presence, signals, durable subscriptions
  "already-watching": { retryable: false, meaning: "The connection is watching this channel." },
  "not-watching": { retryable: false, meaning: "The connection is not watching this channel." },
  "no-instance": { retryable: false, meaning: "Presence and signals need an `instance` in `hello`." },
  "not-a-member": {
    retryable: true,
    meaning: "Signals are for those who have entered the channel: send `enter` first.",
  },
  "too-many-watches": {
    retryable: false,
    meaning: "More channels watched or entered by one connection than the limit `watches`.",
  },
  "too-many-members": { retryable: true, meaning: "The channel has as many members as may be." },
  "state-too-large": { retryable: false, meaning: "The presence state is longer than the limit `presenceBytes`." },
  "signal-too-large": { retryable: false, meaning: "A signal is longer than the limit `signalBytes`." },
  "too-many-following": { retryable: false, meaning: "The user has as many durable subscriptions as may be." },
  // Publishing
  "invalid-event": {
    retryable: false,
    meaning: "The channel's type does not declare this event, or not this version of it.",
  },
  "invalid-data": { retryable: false, meaning: "The event's data does not match its schema." },
  "event-too-large": { retryable: false, meaning: "The event's data is longer than the limit `eventBytes`." },
  "out-of-sequence": { retryable: true, meaning: "Publishes of this producer before this one have not been stored." },
  "body-mismatch": { retryable: false, meaning: "Another body was published under this producer and sequence number." },
  "unknown-outcome": { retryable: false, meaning: "Too long ago to tell whether this publish took effect." },
  "producer-invalid": { retryable: false, meaning: "The producer id is malformed or minted in the future." },
  "producer-quota": { retryable: true, meaning: "This user has as many live producers as may be." },
  "channel-archived": { retryable: false, meaning: "The channel is archived: it can be read and not written." },
  conflict: { retryable: false, meaning: "The channel moved on past the expected offset." },
  // The server
  "rate-limited": { retryable: true, meaning: "Too much at once: try again after `retryAfter`." },
  overloaded: { retryable: true, meaning: "The server has too much waiting: try again after `retryAfter`." },
  "storage-unavailable": {
    retryable: true,
    meaning: "The log cannot store events now (a full disk, a failed write). Reads go on.",
  },
  "no-progress": { retryable: true, close: 4001, meaning: "The client acknowledged nothing for too long." },
  "ping-timeout": { retryable: true, close: 4002, meaning: "The client gave no sign of life." },
  "shutting-down": { retryable: true, close: 4500, meaning: "The server is being stopped: come back after the hint." },
  "too-many-connections": {
    retryable: true,
    close: 4502,
    meaning:
      "The user or the address has as many connections as the limits `connectionsPerUser` and `connectionsPerAddress` allow.",
  },
  "server-full": { retryable: true, close: 4501, meaning: "The server has as many connections as it may." },
  internal: { retryable: true, close: 4003, meaning: "An error of the server's own. It is in its log." },
  // Told by the client library only
  "queue-full": { retryable: false, meaning: "The client's queue of publishes is full." },
  disconnected: { retryable: true, meaning: "The connection was lost before the answer came." },
  closed: { retryable: false, meaning: "The client was closed." },
  "token-unavailable": { retryable: true, meaning: "The application's `token` function failed, or took too long." },
} as const satisfies Record<string, { retryable: boolean; close?: number; meaning: string }>;

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
  readonly cause?: unknown;
}

/** The one error class: a code of the table, a sentence for people, and what helps to act on it. */
export class TandemError extends Error {
  override readonly name = "TandemError";
  readonly code: ErrorCode;
  readonly retryAfter: number | undefined;
  readonly expected: number | undefined;
  readonly issues: ErrorDetails["issues"];

  constructor(code: ErrorCode, message: string = ERRORS[code].meaning, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.retryAfter = details.retryAfter;
    this.expected = details.expected;
    this.issues = details.issues;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }
}
