import type { ErrorCode, ErrorDetails } from "./errors.ts";
import { TandemError } from "./errors.ts";

/** What each error of the table means, in a sentence for people. */
export const MEANINGS: Readonly<Record<ErrorCode, string>> = {
  // What was sent
  "bad-frame": "The frame is not a list of messages of this codec.",
  "bad-message": "A message lacks a field, has one too many, or has a wrong value.",
  "too-deep": "A message is nested deeper than the limit `depth`.",
  "too-many-messages": "A frame holds more messages than the limit `frameMessages`.",
  "too-many-errors": "The connection sent too many wrong messages in a row.",
  "request-in-use": "A request with this id is still waiting for its answer.",
  "unsupported-version": "The server does not speak this protocol version.",
  // Who sent it
  "not-authenticated": "The first message on a connection must be `hello`.",
  "already-authenticated": "A connection says `hello` once; a new token goes into `refresh`.",
  "token-invalid": "The token is not one this server accepts.",
  "token-expired": "The token has expired: come back with a fresh one.",
  "token-revoked": "The token, its user or its tenant was revoked.",
  "wrong-user": "A refresh must keep the user and the tenant of the connection.",
  "guests-not-admitted": "This application admits no guests: bring a token.",
  "needs-auth": "The token expired or was revoked: send `refresh`, then ask again.",
  "keys-unavailable": "The keys that tokens are checked with cannot be fetched now.",
  "handshake-timeout": "No `hello` came in time.",
  "needs-auth-timeout": "No fresh token came in time.",
  // What it may do
  forbidden: "No such channel, or no right to do this there.",
  // Subscriptions
  "already-subscribed": "The connection is subscribed to this channel.",
  "not-subscribed": "The connection is not subscribed to this channel.",
  "too-many-subscriptions": "More subscriptions than the limit `subscriptions`.",
  "too-many-requests": "More requests wait than the limits `requests` and `inFlight` allow.",
  "not-yet": "The channel has not reached the position named in `atLeast`.",
  "invalid-filter": "The filter names an event type or a field that the channel's type does not declare for it.",
  "too-slow": "The client does not keep up with a channel whose type lets nobody fall behind.",
  "credit-violation": "Frames were acknowledged that were never sent.",
  // Presence, signals, durable subscriptions
  "already-watching": "The connection is watching this channel.",
  "not-watching": "The connection is not watching this channel.",
  "no-instance": "Presence and signals need an `instance` in `hello`.",
  "not-a-member": "Signals are for those who have entered the channel: send `enter` first.",
  "too-many-watches": "More channels watched or entered by one connection than the limit `watches`.",
  "too-many-members": "The channel has as many members as may be.",
  "state-too-large": "The presence state is longer than the limit `presenceBytes`.",
  "too-many-signals": "A message holds more keys of signals than the limit `signalKeys`.",
  "signal-too-large": "A signal is longer than the limit `signalBytes`.",
  "too-many-following": "The user has as many durable subscriptions as may be.",
  // Publishing
  "invalid-event": "The channel's type does not declare this event, or not this version of it.",
  "invalid-data":
    "The data of an event, a presence state or a signal does not match its schema, or there is none for it.",
  "event-too-large": "The event's data is longer than the limit `eventBytes`.",
  "out-of-sequence": "Publishes of this producer before this one have not been stored.",
  "body-mismatch": "Another body was published under this producer and sequence number.",
  "unknown-outcome": "Too long ago to tell whether this publish took effect.",
  "producer-invalid": "The producer id is malformed or minted in the future.",
  "producer-quota": "This user has as many live producers as may be.",
  "channel-archived": "The channel is archived: it can be read and not written.",
  // Models
  "invalid-command": "The channel's type declares no such model or command, or not this version of it.",
  rejected: "The model refuses the command: `reason` says why.",
  conflict: "Others changed the same at the same time: a model, again and again, or a list of durable subscriptions.",
  "fence-required": "This write needs the fencing token of a lock.",
  "stale-fence": "The lock has a newer fencing token: whoever wrote under this one has lost it.",
  "model-stopped": "The model met an event that this version does not know. The rest of the channel goes on.",
  "state-gone": "The state at this position cannot be told any more: ask for the newest.",
  // The server
  "rate-limited": "Too much at once: try again after `retryAfter`.",
  overloaded: "The server has too much waiting: try again after `retryAfter`.",
  "storage-unavailable": "The log cannot store events now (a full disk, a failed write). Reads go on.",
  "no-progress": "The client acknowledged nothing for too long.",
  "ping-timeout": "The client gave no sign of life.",
  "shutting-down": "The server is being stopped: come back after the hint.",
  "too-many-connections":
    "The user or the address has as many connections as the limits `connectionsPerUser` and `connectionsPerAddress` allow.",
  "server-full": "The server has as many connections as it may.",
  internal: "An error of the server's own. It is in its log.",
  // Told by the client library only
  "queue-full": "The client's queue of publishes is full.",
  disconnected: "The connection was lost before the answer came.",
  closed: "The client was closed.",
  "token-unavailable": "The application's `token` function failed, or took too long.",
};

/** An error of the table, with the table's own sentence. */
export function errorOf(code: ErrorCode, details?: ErrorDetails): TandemError {
  return new TandemError(code, MEANINGS[code], details);
}
