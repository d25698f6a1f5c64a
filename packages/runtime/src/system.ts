import type { Logger, Runtime, Timer } from "./runtime.ts";
import { silentLogger } from "./runtime.ts";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The real runtime of this process or page: its clock, its timers, its random numbers. */
export function systemRuntime(logger: Logger = silentLogger): Runtime {
  return {
    now: () => Date.now(),
    elapsed: () => performance.now(),
    timer(ms: number, action: () => void): Timer {
      const handle = setTimeout(action, ms);
      return { cancel: () => clearTimeout(handle) };
    },
    defer:
      typeof setImmediate === "function" ? (action) => void setImmediate(action) : (action) => queueMicrotask(action),
    random: () => Math.random(),
    randomId() {
      const bytes = crypto.getRandomValues(new Uint8Array(22));
      let text = "";
      for (const byte of bytes) text += LETTERS[byte & 63];
      return text;
    },
    logger,
  };
}
