import { flushCompileCache } from "node:module";
import type { Violation } from "./history.ts";
import { runSchedule } from "./schedule.ts";
import type { Kind } from "./tally.ts";

/** What the runner asks of a worker: these seeds, one after the other. */
export interface Order {
  readonly seeds: readonly number[];
  /** One that breaks something is run again, for its trace. */
  readonly explain: boolean;
}

/** What a worker tells of one schedule. */
export interface Report {
  readonly seed: number;
  readonly steps: number;
  readonly violations: readonly Violation[];
  readonly tally: Record<Kind, Record<string, number>>;
  /** The last lines before the first violation. */
  readonly trace: readonly string[];
}

/** Every so many seeds are run twice, and their trace hashes compared. */
const TWICE = 50;

/** Lines of trace told with a violation. */
const LINES = 60;

async function run(seed: number, explain: boolean): Promise<Report> {
  const first = await runSchedule(seed);
  const violations = [...first.violations];
  if (seed % TWICE === 0) {
    const second = await runSchedule(seed);
    if (second.hash !== first.hash) {
      violations.push({
        rule: "determinism",
        at: 0,
        text: `two runs of this seed differ: ${first.hash}, ${second.hash}`,
      });
    }
  }
  const [earliest] = violations;
  const trace =
    earliest && explain ? (await runSchedule(seed, { traceUntil: earliest.at, traceLines: LINES })).trace : [];
  return { seed, steps: first.steps, violations, tally: first.tally, trace };
}

// Most errors of a schedule are answers, made by the thousand; a replay has their stacks.
Error.stackTraceLimit = 0;

// Whoever starts next in the same place need not compile what is the same. It is killed, and would not tell at its end.
flushCompileCache();
process.send?.("ready");
process.on("message", (order: Order) => {
  void (async () => {
    for (const seed of order.seeds) process.send?.(await run(seed, order.explain));
    process.send?.("done");
  })();
});
