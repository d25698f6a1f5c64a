import type { Logger } from "@tandem/runtime";

/** The part of `process` that is needed here. */
export interface Stoppable {
  on(signal: "SIGTERM" | "SIGINT", listener: (signal: string) => void): unknown;
  exit(code: number): void;
}

export interface StopOptions {
  /** Ends the server in good order. */
  stop(): Promise<void>;
  readonly process: Stoppable;
  readonly logger: Logger;
}

/**
 * Has SIGTERM and SIGINT end the process in good order (exit code 0). A second signal ends it at once (1): whoever sends it
 * does not want to wait, and what was acknowledged is on the disk.
 */
export function stopOnSignals({ stop, process, logger }: StopOptions): void {
  let stopping = false;
  const onSignal = (signal: string) => {
    if (stopping) {
      logger.warn({ signal }, "a second signal: stopping at once");
      process.exit(1);
      return;
    }
    stopping = true;
    logger.info({ signal }, "stopping: clients are told when to come back");
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
  process.on("SIGTERM", onSignal);
  process.on("SIGINT", onSignal);
}
