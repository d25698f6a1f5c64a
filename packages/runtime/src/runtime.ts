/** The world outside, as core code sees it: clock, timers, chance, log. Real in production, virtual in simulation. */
export interface Runtime {
  /** Wall clock: milliseconds since 1970. May jump, both ways. */
  now(): number;
  /** Milliseconds since some start. Never jumps. */
  elapsed(): number;
  /** Calls `action` once after `ms` milliseconds of `elapsed` time, unless cancelled. */
  timer(ms: number, action: () => void): Timer;
  /** Calls `action` at the end of the present turn, after everything that arrived with it was handled. */
  defer(action: () => void): void;
  /** A number in [0, 1). */
  random(): number;
  /** 22 letters of base64url: 132 random bits, unguessable in production. */
  randomId(): string;
  readonly logger: Logger;
}

export interface Timer {
  cancel(): void;
}

type LogFields = Record<string, unknown>;

/** Structured log. Fields first, as in pino. */
export interface Logger {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** A logger that says nothing. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
