import type { Runtime } from "@tandem/runtime";

/**
 * Milliseconds within which signals are one: Ctrl+C reaches every process of a terminal, and npm hands it on to its
 * child once more.
 */
const ONE_SIGNAL = 500;

/** The part of `process` that is needed here. */
interface Stoppable {
  on(signal: "SIGTERM" | "SIGINT", listener: (signal: string) => void): unknown;
  exit(code: number): void;
}

export interface StopOptions {
  /** Ends the server in good order. */
  stop(): Promise<void>;
  readonly process: Stoppable;
  readonly runtime: Pick<Runtime, "logger" | "elapsed">;
}

/**
 * Has SIGTERM and SIGINT end the process in good order (exit code 0). A second signal ends it at once (1): whoever sends it
 * does not want to wait, and what was acknowledged is on the disk.
 *
 * @returns begins to end it too; does nothing when that was begun already
 */
export function stopOnSignals({ stop, process, runtime }: StopOptions): (reason: string) => void {
  const { logger } = runtime;
  let since: number | undefined;
  const begin = (reason: string) => {
    if (since !== undefined) return;
    since = runtime.elapsed();
    logger.info({ reason }, "stopping: clients are told when to come back");
    stop().then(
      () => {
        logger.info({}, "stopped");
        process.exit(0);
      },
      (error: unknown) => {
        logger.error({ error }, "could not stop in good order");
        process.exit(1);
      },
    );
  };
  const onSignal = (signal: string) => {
    if (since === undefined) return begin(signal);
    if (runtime.elapsed() - since < ONE_SIGNAL) return;
    logger.warn({ signal }, "a second signal: stopping at once");
    process.exit(1);
  };
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
  return begin;
}
