import type { Logger } from "@tandem/runtime";
import type { World } from "./world.ts";

/** The log of one simulated process: it goes into the trace. An error of the process's own breaks G12. */
export function worldLogger(world: World, name: string): Logger {
  const say = (level: string, fields: Record<string, unknown>, message: string) =>
    world.say(() => `${name} ${level}: ${message} ${describe(fields)}`);
  return {
    debug: (fields, message) => say("debug", fields, message),
    info: (fields, message) => say("info", fields, message),
    warn: (fields, message) => say("warn", fields, message),
    error: (fields, message) => {
      say("error", fields, message);
      const text = `${name} logged an error of its own: ${message} ${describe(fields)}`;
      world.history.violate("G12", world.clock.now, text);
    },
  };
}

function describe(fields: Record<string, unknown>): string {
  return Object.entries(fields)
    .map(
      ([name, value]) => `${name}=${value instanceof Error ? (value.stack ?? value.message) : JSON.stringify(value)}`,
    )
    .join(" ");
}
