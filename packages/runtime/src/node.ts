import type { DestinationStream } from "pino";
import { destination, pino } from "pino";
import { quiet } from "./quiet.ts";
import { redact, redactText } from "./redaction.ts";
import type { Logger, Runtime } from "./runtime.ts";
import { systemRuntime } from "./system.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error", "silent"] as const;
export const LOG_FORMATS = ["json", "pretty"] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggerOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** `json`: one object a line. `pretty`: for eyes. Default `json`. */
  readonly format?: LogFormat;
  /** Where lines go. Default: standard error, so that a command's own output stays its own. */
  readonly to?: DestinationStream;
}

/**
 * A pino logger behind the `Logger` port. Tokens, secrets, authorization headers and producer ids never reach it, and lines
 * with a field `noise` (what hostile clients cause) come at most once per 10 seconds and kind.
 */
export function createLogger(options: LoggerOptions = {}): Logger {
  const { level = "info", format = "json", to = destination({ fd: 2, sync: true }) } = options;
  const log = pino(
    {
      level,
      base: null,
      messageKey: "message",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
    },
    format === "json" ? to : { write: (line: string) => to.write(pretty(line)) },
  );
  const logger: Logger = {
    debug: (fields, message) => log.debug(fields, redactText(message)),
    info: (fields, message) => log.info(fields, redactText(message)),
    warn: (fields, message) => log.warn(fields, redactText(message)),
    error: (fields, message) => log.error(fields, redactText(message)),
  };
  return quiet(logger, () => performance.now());
}

/** The runtime of a Node.js process, with a pino logger. */
export function nodeRuntime(options: LoggerOptions = {}): Runtime {
  return systemRuntime(createLogger(options));
}

/** `12:00:01 info  the message  field=value`: values stay JSON, so that no text in them can break a line. */
function pretty(line: string): string {
  const { time, level, message, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const sentence = String(message).replaceAll(/\s+/g, " ");
  return `${[String(time).slice(11, 19), String(level).padEnd(5), sentence, ...rest].join(" ")}\n`;
}
