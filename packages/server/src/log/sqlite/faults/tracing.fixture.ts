import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The system call tracer, if it is there. */
export const STRACE = [process.env.TANDEM_TEST_STRACE, "/usr/bin/strace"].find((path) => path && existsSync(path));

/** The program that publishes. */
export const PUBLISHER = fileURLToPath(import.meta.resolve("./publisher.fixture.ts"));

/** One system call, as it began and as it ended: places in the one order of all that the tracer saw. */
export interface Call {
  readonly name: string;
  /** What it was called with, as the tracer writes it; files by name. */
  readonly args: string;
  readonly began: number;
  ended: number;
  result: string;
}

const WHOLE = /^(\d+) +(\w+)\((.*)\) += (.+)$/;
const UNFINISHED = /^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$/;
const RESUMED = /^(\d+) +<\.\.\. (\w+) resumed>.* = (.+)$/;

/** Reads what `strace -f -y` wrote. */
export function parseTrace(text: string): Call[] {
  const calls: Call[] = [];
  const open = new Map<string, Call>();
  for (const [at, line] of text.split("\n").entries()) {
    const whole = WHOLE.exec(line);
    const unfinished = whole ? undefined : UNFINISHED.exec(line);
    const resumed = whole || unfinished ? undefined : RESUMED.exec(line);
    if (whole) {
      const [, , name = "", args = "", result = ""] = whole;
      calls.push({ name, args, began: at, ended: at, result });
    } else if (unfinished) {
      const [, thread = "", name = "", args = ""] = unfinished;
      const call = { name, args, began: at, ended: Number.POSITIVE_INFINITY, result: "?" };
      calls.push(call);
      open.set(thread, call);
    } else if (resumed) {
      const call = open.get(resumed[1] ?? "");
      if (call) Object.assign(call, { ended: at, result: resumed[3] });
    }
  }
  return calls;
}

export interface Traced {
  /** What the publisher said, line by line. */
  readonly said: readonly string[];
  readonly calls: readonly Call[];
}

/** Runs the publisher under the tracer with a fault. */
export async function publishUnder(
  fault: string,
  folder: string,
  file: string,
  work: readonly [producers: number, inFlight: number, appends: number],
): Promise<Traced> {
  if (STRACE === undefined) throw new Error("strace is not installed: these tests fail writes and syncs with it.");
  const trace = join(folder, "trace");
  const watched = ["-e", "trace=fsync,fdatasync,pwrite64,write", "-e", `inject=${fault}`];
  const program = [process.execPath, PUBLISHER, file, ...work.map(String)];
  // Into a file: a pipe that is full would refuse the publisher's writes.
  const output = join(folder, "said");
  const said = openSync(output, "w");
  const child = spawn(STRACE, ["-f", "-y", "-s", "4200", "-o", trace, ...watched, ...program], {
    stdio: ["ignore", said, "inherit"],
  });
  closeSync(said);
  await once(child, "close");
  return { said: readFileSync(output, "utf8").trimEnd().split("\n"), calls: parseTrace(readFileSync(trace, "utf8")) };
}

const TOKEN = /token-\d+-\d+-end/g;

/** Answers, in the order in which they were given: the token, and where the `write` that told it began. */
export function answersIn(calls: readonly Call[]): { readonly token: string; readonly at: number }[] {
  return calls.flatMap(({ name, args, began }) => {
    const token = name === "write" && args.startsWith("1<") ? /"ack (token-\d+-\d+-end) /.exec(args)?.[1] : undefined;
    return token ? [{ token, at: began }] : [];
  });
}

/**
 * Answers that were given before a sync of the write-ahead log had returned well that began after the answered event
 * was written into it.
 */
export function answersBeforeTheirSync(calls: readonly Call[]): string[] {
  const wal = calls.filter(({ args }) => /^\d+<[^>]*-wal>/.test(args));
  const written = new Map<string, number>();
  for (const { name, args, ended } of wal) {
    if (name !== "pwrite64") continue;
    for (const [token] of args.matchAll(TOKEN)) if (!written.has(token)) written.set(token, ended);
  }
  const syncs = wal.filter(({ name, result }) => /^f(data)?sync$/.test(name) && /^0\b/.test(result));
  return answersIn(calls).flatMap(({ token, at }) => {
    const since = written.get(token) ?? Number.POSITIVE_INFINITY;
    return syncs.some((sync) => sync.began > since && sync.ended < at) ? [] : [token];
  });
}
