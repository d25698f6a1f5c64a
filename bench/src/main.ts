/**
 * Runs one benchmark beside its peers.
 *
 *     npm run bench -- SCENARIO [--json] [--rounds N] [--seconds S] [--folder DIR] [--profile DIR]
 */
import { parseArgs } from "node:util";
import { reportOf, tableOf } from "./report.ts";
import type { ScenarioOptions } from "./scenario.ts";
import { scenarios } from "./scenarios.ts";

const list = Object.entries(scenarios).map(([name, { summary }]) => `  ${name.padEnd(10)} ${summary}`);

const DEFAULTS = { rounds: 3, seconds: 3 };

const HELP = `Usage: npm run bench -- SCENARIO [options]

Measures Tandem beside its peers, in one run and in turns. Compare the systems of one run; times of different runs
and machines say little.

Scenarios
${list.join("\n")}

Options
  --json         print one object last: {"scenario","systems":{NAME:{figure:number}},"ratios":{"FIGURE/PEER":number}}
  --rounds N     measure each system N times and take medians (default 3; slow, storm: 1)
  --seconds S    seconds of each measurement (default 3; slow: 90, storm: 60)
  --folder DIR   folder on a disk for the databases (default: the system's folder for temporary files)
  --profile DIR  write a CPU profile of each server that runs on Node.js into this folder (not for durable)
  --help         print this

Exit code 1 when a message was lost or a system did not run; 2 when the command was not understood.`;

/** Prints why the command was not understood. */
function misunderstood(sentence: string): void {
  console.error(`${sentence}\n\n${HELP}`);
  process.exitCode = 2;
}

function number(text: string, most: number): number | undefined {
  const value = Number(text);
  return value > 0 && value <= most ? value : undefined;
}

async function run(name: string, options: ScenarioOptions, json: boolean): Promise<void> {
  const result = await scenarios[name]?.run(options);
  if (!result) return;
  (json ? console.error : console.log)(`\n${tableOf(result)}\n`);
  if (json) console.log(JSON.stringify(reportOf(name, result)));
  if (result.failure !== undefined) throw new Error(result.failure);
}

async function main(): Promise<void> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return misunderstood(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  const [name, ...rest] = positionals;
  if (values.help) return console.log(HELP);
  if (name === undefined) return misunderstood("Name a scenario.");
  if (!Object.hasOwn(scenarios, name)) return misunderstood(`No scenario is named ${name}.`);
  if (rest.length > 0) return misunderstood(`One scenario at a time: ${rest.join(" ")} is too much.`);
  const defaults = scenarios[name]?.defaults ?? DEFAULTS;
  const rounds = values.rounds === undefined ? defaults.rounds : number(values.rounds, 100);
  const seconds = values.seconds === undefined ? defaults.seconds : number(values.seconds, 600);
  if (rounds === undefined || !Number.isInteger(rounds))
    return misunderstood("--rounds is a whole number from 1 to 100.");
  if (seconds === undefined) return misunderstood("--seconds is a number above 0, 600 at most.");
  const progress = (line: string): void => console.error(line);
  try {
    await run(name, { rounds, seconds, folder: values.folder, profile: values.profile, progress }, values.json);
  } catch (error) {
    console.error(`The benchmark ${name} failed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      rounds: { type: "string" },
      seconds: { type: "string" },
      folder: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
}

await main();
