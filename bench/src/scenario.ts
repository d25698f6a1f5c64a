import type { Result } from "./report.ts";

/** What the command line asks of a scenario. */
export interface ScenarioOptions {
  /** Times that each system is measured. */
  readonly rounds: number;
  /** Seconds of each measurement, after its warm-up. */
  readonly seconds: number;
  /** Folder for the databases: on a disk, never in memory. Default: the system's folder for temporary files. */
  readonly folder: string | undefined;
  /** Folder for a CPU profile of each server that is a Node.js process. Left out: none is made. */
  readonly profile?: string | undefined;
  /** Tells people how far it is. */
  progress(line: string): void;
}

/** One benchmark beside its peers. */
export interface Scenario {
  readonly summary: string;
  /** Where it is not 3 rounds of 3 seconds. */
  readonly defaults?: { readonly rounds: number; readonly seconds: number };
  /** Rejects when a message was lost, or a system did not run as it should. */
  run(options: ScenarioOptions): Promise<Result>;
}
