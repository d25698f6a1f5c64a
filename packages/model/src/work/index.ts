export type { Run, Work } from "./attempt.ts";
export { JobFailure } from "./failure.ts";
export type { Answer, Jobs, WorkPorts } from "./ports.ts";
export type { Held, Told } from "./telling.ts";
export { checkWorkOptions, JobWorker, type WorkOptions } from "./worker.ts";
