import type { Kind, Tally } from "./tally.ts";

/** Every fault and every path that a long run must have met: one that was not met proves nothing about it. */
const REQUIRED: Readonly<Record<Kind, readonly string[]>> = {
  fault: [
    "bus-duplicate",
    "bus-loss",
    "bus-outage",
    "client-pause",
    "client-reload",
    "clock-jump",
    "commit-late",
    "commit-of-the-dead",
    "commit-refused",
    "commit-reply-lost",
    "connection-cut",
    "connection-half-open",
    "disk-full",
    "narrow-reader",
    "node-crash",
    "node-drain",
    "node-pause",
    "read-failed",
    "restore",
    "rolling-restart",
    "slow-reader",
    "storage-stall",
    "trim",
  ],
  path: [
    "access-late",
    "admitted",
    "append.committed",
    "append.out-of-sequence",
    "append.refused",
    "append.settled",
    "at-least",
    "catch-up",
    "changed-in-one-frame",
    "closing",
    "duplicate",
    "ended-by-server",
    "error.body-mismatch",
    "error.forbidden",
    "error.invalid-data",
    "error.needs-auth",
    "error.out-of-sequence",
    "error.rate-limited",
    "error.storage-unavailable",
    "error.too-many-connections",
    "error.too-slow",
    "error.wrong-user",
    "expelled",
    "failover",
    "filtered-live",
    "filtered-replay",
    "hidden-events",
    "lane.bulk",
    "lane.critical",
    "lane.normal",
    "lanes-in-one-flush",
    "paced",
    "refresh",
    "replaced-events",
    "reset.ahead",
    "reset.epoch",
    "reset.rewritten",
    "reset.trimmed",
    "slow-catch-up",
    "unknown-commit",
  ],
  operation: [
    "archive",
    "change-in-one-frame",
    "change-subscription",
    "disconnect",
    "flood",
    "history",
    "publish",
    "redact",
    "remove",
    "revoke",
    "subscribe",
    "unsubscribe",
    "wake",
  ],
};

/** Times that each must have been met in this many schedules. */
const LEAST = 100;
const IN_SCHEDULES = 10_000;

/** What was met too seldom. In a short run, only what was never met counts, and only as a warning. */
export function gaps(tally: Tally, schedules: number): { readonly names: string[]; readonly fatal: boolean } {
  const fatal = schedules >= IN_SCHEDULES;
  const least = fatal ? LEAST : 1;
  const names: string[] = [];
  for (const [kind, required] of Object.entries(REQUIRED) as [Kind, readonly string[]][]) {
    for (const name of required) if (tally.get(kind, name) < least) names.push(`${kind} ${name}`);
  }
  return { names, fatal };
}
