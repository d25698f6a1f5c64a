import type { Logger } from "@tandem/runtime";
import { silentLogger } from "@tandem/runtime";

/** What an application should know of reaches its console; the rest is kept quiet. */
export const consoleLogger: Logger = {
  ...silentLogger,
  warn: (fields, message) => console.warn(`tandem: ${message}`, fields),
  error: (fields, message) => console.error(`tandem: ${message}`, fields),
};
