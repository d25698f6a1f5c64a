export { fullJitter } from "./backoff.ts";
export { Emitter } from "./emitter.ts";
export { type Logger, type Runtime, silentLogger, type Timer } from "./runtime.ts";
export { Cell, type Store } from "./store.ts";
export { systemRuntime } from "./system.ts";
