import type { Decisions } from "./decisions.ts";
import type { Stall } from "./stall.ts";

/** How often each name was met. */
export type Counts = Record<string, number>;

export function count(counts: Counts, name: string, more = 1): void {
  counts[name] = (counts[name] ?? 0) + more;
}

/** What the server's process saw. */
export interface ServerReport {
  /** Frames that reached a connection. */
  readonly frames: number;
  /** Messages that passed every check and reached their handler, by type. */
  readonly accepted: Counts;
  /** Frames and messages that were refused before, by code. */
  readonly refused: Counts;
  /** What came as far as the models. */
  readonly decisions: Decisions;
  readonly stall: Stall;
  /** Most memory of the process, in bytes. */
  readonly rss: number;
  /** Connections that stand. */
  readonly connections: number;
  /** Lines of log, by the kind of noise. */
  readonly lines: Counts;
  /** Lines of log that no client should be able to cause. */
  readonly faults: readonly string[];
}

/** What the process that starts the server is told. */
export type FromServer =
  | { readonly kind: "ready"; readonly port: number }
  | { readonly kind: "report"; readonly report: ServerReport };
