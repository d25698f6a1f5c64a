import type { Options } from "./options.ts";
import { HELP, parseOptions } from "./options.ts";
import { record } from "./record.ts";
import { run } from "./run.ts";
import { jsonOf, summaryOf, suspectsOf } from "./summary.ts";

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function fuzz({ frames, seed, script, connections, json }: Options): Promise<number> {
  const progress = (read: number) => process.stderr.write(`\r${read} of ${frames} frames`);
  const outcome = await run({ frames, seed, script, connections, ...(process.stderr.isTTY ? { progress } : {}) });
  const print = json ? console.error : say;
  if (outcome.violations.length > 0) print(`\n${suspectsOf(outcome)}`);
  print(`\n${summaryOf(outcome)}`);
  if (json) say(jsonOf(outcome));
  return outcome.violations.length > 0 ? 1 : 0;
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2), () => Math.random() * 2 ** 32);
  if (options === "help") {
    say(HELP);
    return 0;
  }
  if (!options.record) return fuzz(options);
  say(`${await record()} kinds of frames recorded`);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
