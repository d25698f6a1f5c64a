import type { Logger } from "./runtime.ts";

/** Kinds of noise that are told apart; any further kind shares one line. Kinds are named in code, never by a client. */
const MOST_KINDS = 256;

/**
 * A logger for a world with hostile clients: lines with a field `noise` (the kind) are written once per interval and
 * kind. The first line after a silence says how many were left out (`suppressed`). All other lines pass.
 *
 * @param elapsed milliseconds since some start
 * @param interval milliseconds, default 10,000
 */
export function quiet(logger: Logger, elapsed: () => number, interval = 10_000): Logger {
  const kinds = new Map<string, { written: number; suppressed: number }>();

  function pass(fields: Record<string, unknown>): Record<string, unknown> | undefined {
    if (fields.noise === undefined) return fields;
    const name = String(fields.noise);
    const key = kinds.has(name) || kinds.size < MOST_KINDS ? name : "other";
    const now = elapsed();
    const kind = kinds.get(key);
    if (!kind) {
      kinds.set(key, { written: now, suppressed: 0 });
      return fields;
    }
    if (now - kind.written < interval) {
      kind.suppressed++;
      return undefined;
    }
    const { suppressed } = kind;
    kind.written = now;
    kind.suppressed = 0;
    return suppressed === 0 ? fields : { ...fields, suppressed };
  }

  const level = (write: Logger["info"]): Logger["info"] => {
    return (fields, message) => {
      const passed = pass(fields);
      if (passed) write(passed, message);
    };
  };
  return {
    debug: level((fields, message) => logger.debug(fields, message)),
    info: level((fields, message) => logger.info(fields, message)),
    warn: level((fields, message) => logger.warn(fields, message)),
    error: level((fields, message) => logger.error(fields, message)),
  };
}
