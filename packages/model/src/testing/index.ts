export type { RehearsalClient } from "./client.ts";
export { canonical } from "./comparison.ts";
export { play, type Step, take } from "./play.ts";
export { type Outcome, Rehearsal, type RehearsalOptions } from "./rehearsal.ts";
export { RuleBroken } from "./rule.ts";
