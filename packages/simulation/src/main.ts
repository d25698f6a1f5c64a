import { availableParallelism } from "node:os";
import { gaps } from "./coverage.ts";
import type { Mutant } from "./mutants.ts";
import type { Options } from "./options.ts";
import { HELP, parseOptions } from "./options.ts";
import { pinned } from "./pinned.ts";
import { plantAll } from "./planting.ts";
import type { Summary } from "./runner.ts";
import { runSeeds } from "./runner.ts";
import { runSchedule } from "./schedule.ts";
import type { Report } from "./worker.ts";

/** Broken schedules that are printed in full. */
const PRINTED = 5;

/** Lines of trace printed of one that is replayed. */
const REPLAY_LINES = 400;

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function replay(seed: number, json: boolean): Promise<number> {
  const first = await runSchedule(seed);
  const again = await runSchedule(seed, { traceUntil: first.violations[0]?.at, traceLines: REPLAY_LINES });
  const same = again.hash === first.hash || first.violations.length > 0;
  if (first.violations.length > 0) print({ ...first, violations: first.violations, seed, trace: again.trace });
  say(`seed ${seed}: ${first.violations.length} violations, ${first.steps} steps, trace hash ${first.hash}`);
  if (!same) say(`a second run of it differs: ${again.hash}`);
  if (json)
    say(
      JSON.stringify({
        schedules: 1,
        events: first.steps,
        violations: first.violations.length,
        seed,
        hash: first.hash,
      }),
    );
  return first.violations.length > 0 || !same ? 1 : 0;
}

function print({ seed, violations, trace }: Pick<Report, "seed" | "violations" | "trace">): void {
  say(`\nseed ${seed} broke something:`);
  for (const { rule, at, text } of violations.slice(0, 8))
    say(`  ${rule.padEnd(4)} at ${(at / 1_000).toFixed(4)} s  ${text}`);
  if (violations.length > 8) say(`  … and ${violations.length - 8} more`);
  if (trace.length > 0) say(`  before the first:\n${trace.map((line) => `    ${line}`).join("\n")}`);
  say(`  replay: npm run simulate -- --seed ${seed}`);
}

function tell({ caught, name, rule, seed, schedules, seconds }: Mutant): void {
  const how = caught ? `${rule} by seed ${seed}, ` : "";
  say(`${caught ? "caught" : "NOT CAUGHT"}  ${name}  (${how}${schedules} schedules, ${seconds.toFixed(1)} s)`);
}

/** To the error stream: what is piped on is the report. */
function tellProgress(summary: Summary, seeds: number): void {
  const { schedules, broken } = summary;
  const seen = broken.map(({ seed }) => seed).join(", ");
  const what = broken.length > 0 ? `${broken.length} broke something (${seen})` : "none broke anything";
  process.stderr.write(`${schedules} of ${seeds} schedules, ${what}, ${perSecondOf(summary)} a second\n`);
}

function perSecondOf({ schedules, seconds }: Summary): number {
  return seconds > 0 ? Math.round((schedules / seconds) * 10) / 10 : 0;
}

function conclude(summary: Summary, mutants: readonly Mutant[], options: Options): number {
  for (const report of summary.broken.slice(0, PRINTED)) print(report);
  const violations = summary.broken.length;
  const perSecond = perSecondOf(summary);
  say(`${summary.schedules} schedules, ${violations} broke something, ${perSecond} a second`);
  const { names, fatal } =
    options.schedules > 0 && violations === 0 ? gaps(summary.tally, options.schedules) : { names: [], fatal: false };
  if (names.length > 0) say(`${fatal ? "too seldom met" : "never met"}: ${names.join(", ")}`);
  const escaped = mutants.filter((mutant) => !mutant.caught);
  if (escaped.length > 0) say(`not caught: ${escaped.map((mutant) => mutant.name).join(", ")}`);
  if (options.json) {
    say(
      JSON.stringify({
        schedules: summary.schedules,
        events: summary.events,
        violations,
        perSecond,
        mutants: { planted: mutants.length, caught: mutants.length - escaped.length },
        ...summary.tally.all(),
        broken: summary.broken
          .slice(0, PRINTED)
          .map(({ seed, violations: [first] }) => ({ seed, rule: first?.rule, text: first?.text })),
      }),
    );
  }
  return violations > 0 || escaped.length > 0 || (fatal && names.length > 0) ? 1 : 0;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), availableParallelism());
  if (options === "help") {
    say(HELP);
    return 0;
  }
  if (options.seed !== undefined) return replay(options.seed, options.json);
  const seeds = Array.from({ length: options.schedules }, (_, at) => (options.from + at) >>> 0);
  const kept = pinned()
    .map((pin) => pin.seed)
    .filter((seed) => !seeds.includes(seed));
  const summary = await runSeeds([...kept, ...seeds], { ...options, progress: tellProgress });
  return conclude(summary, options.mutants ? await plantAll(options, tell) : [], options);
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
