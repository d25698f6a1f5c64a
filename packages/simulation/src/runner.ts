import type { ChildProcess } from "node:child_process";
import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Tally } from "./tally.ts";
import type { Order, Report } from "./worker.ts";

/** A worker that says nothing for this long, in milliseconds, hangs in the schedule that it began. */
const SILENCE_MS = 120_000;

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** Schedules make much that is gone with them: room for the young spares collections of the old. */
const WORKER_FLAGS = ["--min-semi-space-size=32", "--max-semi-space-size=64"];

const PROGRESS_MS = 10_000;

/** Seeds handed to a worker at a time; fewer where the first broken one ends the run: other workers finish those in hand. */
const CHUNK = 20;
const CHUNK_TO_BAIL = 4;

/** What a run of many schedules came to. */
export interface Summary {
  schedules: number;
  /** Things that happened: steps of the virtual clock. */
  events: number;
  /** The reports of the schedules that broke something. */
  readonly broken: Report[];
  readonly tally: Tally;
  seconds: number;
}

/** How seeds are run. */
export interface Running {
  readonly workers: number;
  /** Is told every ten seconds how far it is. Default: nobody. */
  readonly progress?: (summary: Summary, seeds: number) => void;
  /** End at the first schedule that breaks something. */
  readonly bail: boolean;
  /** The copy of the packages in which they run. Default: where this file is. */
  readonly plot?: { readonly worker: string; readonly compiled: string };
}

/** Runs seeds on worker processes until all are done, or, with `bail`, one broke something. */
export async function runSeeds(seeds: readonly number[], running: Running): Promise<Summary> {
  const { workers, bail, progress } = running;
  const summary: Summary = { schedules: 0, events: 0, broken: [], tally: new Tally(), seconds: 0 };
  const started = performance.now();
  const left = [...seeds];
  const chunk = bail ? CHUNK_TO_BAIL : CHUNK;
  const take = () => (bail && summary.broken.length > 0 ? [] : left.splice(0, chunk));
  const count = Math.min(workers, Math.ceil(seeds.length / chunk));
  const timer = setInterval(() => {
    summary.seconds = (performance.now() - started) / 1_000;
    progress?.(summary, seeds.length);
  }, PROGRESS_MS);
  try {
    await Promise.all(Array.from({ length: count }, () => work(take, summary, running)));
  } finally {
    clearInterval(timer);
  }
  summary.broken.sort((a, b) => a.seed - b.seed);
  summary.seconds = (performance.now() - started) / 1_000;
  return summary;
}

/** One worker from its start to its end; a hung or dead one is reported with the seed it was at. */
function work(take: () => number[], summary: Summary, { bail, plot }: Running): Promise<void> {
  return new Promise((resolve, reject) => {
    let ready = false;
    let worker: ChildProcess | undefined;
    let expected: number[] = [];
    let watchdog: NodeJS.Timeout | undefined;
    const give = () => {
      expected = take();
      if (expected.length === 0) return finish();
      const order: Order = { seeds: expected, explain: plot === undefined };
      worker?.send(order);
      watch();
    };
    const watch = () => {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => fail(`said nothing for ${SILENCE_MS / 1_000} s`), SILENCE_MS);
    };
    const finish = () => {
      clearTimeout(watchdog);
      worker?.removeAllListeners();
      worker?.kill("SIGKILL");
      resolve();
    };
    const fail = (what: string) => {
      const seed = expected[0] ?? 0;
      const violation = { rule: "G12", at: 0, text: `the process that ran this schedule ${what}` };
      summary.broken.push({
        seed,
        steps: 0,
        violations: [violation],
        tally: { fault: {}, path: {}, operation: {} },
        trace: [],
      });
      summary.schedules++;
      finish();
    };
    worker = fork(plot?.worker ?? WORKER, [], {
      serialization: "advanced",
      execArgv: WORKER_FLAGS,
      env: plot ? { ...process.env, NODE_COMPILE_CACHE: plot.compiled } : process.env,
    });
    worker.on("message", (message: Report | "ready" | "done") => {
      if (message === "ready") ready = true;
      if (message === "ready" || message === "done") return give();
      expected = expected.filter((seed) => seed !== message.seed);
      summary.schedules++;
      summary.events += message.steps;
      summary.tally.add(message.tally);
      if (message.violations.length > 0) summary.broken.push(message);
      if (bail && message.violations.length > 0) return finish();
      watch();
    });
    worker.on("exit", (code, signal) => {
      if (ready) fail(`ended with ${signal ?? code}`);
      else reject(new Error("the simulator's worker does not start"));
    });
  });
}
