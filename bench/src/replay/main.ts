/**
 * Replays a recorded editing session through a real server that is killed on the way.
 *
 *     npm run replay -- FILE [--kills N] [--json]
 */
import { basename } from "node:path";
import { parseArgs } from "node:util";
import type { ReplayResult } from "./replay.ts";
import { firstOf, isClean, replay } from "./replay.ts";
import { readTrace, TraceError } from "./trace.ts";

const HELP = `Usage: npm run replay -- FILE [options]

Drives a sequential editing trace through a real server: each transaction is one event, published by one client and
applied by two others. Then compares their texts with the trace's own, and counts what was lost or doubled in the stored
log and in what the receivers' connections brought.

Options
  --kills N          kill the server (SIGKILL) N times spread over the trace, each time with at least 64 publishes
                     unacknowledged, and start it again on the same data (default 0)
  --transactions N   only the first N transactions
  --folder DIR       folder on a disk for the database (default: the system's folder for temporary files)
  --json             print one object last
  --help             print this

Exit code 1 when the texts differ or anything was lost or doubled; 2 when the command or the file was not understood.`;

/** Prints why the command was not understood. */
function misunderstood(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}

function whole(text: string, least: number, most: number): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value >= least && value <= most ? value : undefined;
}

function sentencesOf(file: string, result: ReplayResult): string {
  const { transactions, kills, equal, lost, duplicated, inOrder, breaks, answeredFromMarks, seconds } = result;
  const killed = `${kills} kills, at least ${result.unacknowledgedAtKill} publishes unacknowledged at each`;
  return [
    `${file}: ${transactions.toLocaleString("en")} transactions in ${seconds} s${kills > 0 ? `, ${killed}` : ""}.`,
    `The texts of both receivers ${equal ? "equal" : "DIFFER from"} the trace's.`,
    `Lost ${lost}, duplicated ${duplicated}, breaks in a delivery ${breaks}; the log is ${inOrder ? "in order" : "OUT OF ORDER"}.`,
    `${answeredFromMarks} publishes were answered from marks: their first answer was lost.`,
  ].join("\n");
}

async function main(): Promise<void> {
  let parsed: ReturnType<typeof parse>;
  try {
    parsed = parse();
  } catch (error) {
    return misunderstood(`${error instanceof Error ? error.message : error}\n\n${HELP}`);
  }
  const { values, positionals } = parsed;
  const [path, ...rest] = positionals;
  if (values.help) return console.log(HELP);
  if (path === undefined || rest.length > 0) return misunderstood(`Name one trace.\n\n${HELP}`);
  const kills = whole(values.kills, 0, 1_000);
  const count = values.transactions === undefined ? Number.POSITIVE_INFINITY : whole(values.transactions, 1, 1e9);
  if (kills === undefined) return misunderstood("--kills is a whole number, 1,000 at most.");
  if (count === undefined) return misunderstood("--transactions is a whole number from 1.");
  const file = basename(path);
  try {
    const trace = firstOf(readTrace(path), count);
    const all = trace.transactions.length;
    const progress = (durable: number, killed: number): void =>
      void process.stderr.write(`\r${file}: ${durable}/${all} durable, ${killed}/${kills} kills `);
    const result = await replay(trace, {
      kills,
      folder: values.folder,
      ...(process.stderr.isTTY ? { progress } : {}),
    });
    (values.json ? console.error : console.log)(`${process.stderr.isTTY ? "\n" : ""}${sentencesOf(file, result)}`);
    if (values.json) console.log(JSON.stringify({ file, ...result }));
    if (!isClean(result)) process.exitCode = 1;
  } catch (error) {
    if (error instanceof TraceError) return misunderstood(error.message);
    console.error(`The replay of ${file} failed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}

function parse() {
  return parseArgs({
    allowPositionals: true,
    options: {
      kills: { type: "string", default: "0" },
      transactions: { type: "string" },
      folder: { type: "string" },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
}

await main();
