import { parseArgs } from "node:util";

/** What a run of the fuzzer is asked for. */
export interface Options {
  /** How many mutated frames. */
  readonly frames: number;
  readonly seed: number;
  /** This one script of the seed and no other. */
  readonly script: number | undefined;
  /** Connections at a time. */
  readonly connections: number;
  readonly json: boolean;
  /** Record the corpus anew, in place of a run. */
  readonly record: boolean;
}

export const HELP = `Sends mutated frames to a real server in a process of its own, beside a client that must lose nothing.

  npm run fuzz -- [--frames N] [--seed S] [--script K] [--connections C] [--json]
  npm run fuzz -- --record

  --frames N       mutated frames to send (default 1,000,000)
  --seed S         seed of all of them (default: one by chance, which is printed)
  --script K       only script K of the seed: what one connection sends
  --connections C  hostile connections at a time (default 48)
  --json           print one object last
  --record         record the corpus anew, from real clients that talk to a real server

Exit code 1: the server ended, stalled for over 200 ms, said what it must not, or the control client lost something.`;

/** @throws RangeError with a sentence for people */
export function parseOptions(args: readonly string[], chance: () => number): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      frames: { type: "string", default: "1000000" },
      seed: { type: "string" },
      script: { type: "string" },
      connections: { type: "string", default: "48" },
      json: { type: "boolean", default: false },
      record: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    frames: whole("frames", values.frames, 1, 1_000_000_000),
    seed: values.seed === undefined ? chance() >>> 0 : whole("seed", values.seed, 0, 0xffff_ffff),
    script: values.script === undefined ? undefined : whole("script", values.script, 0, 1_000_000_000),
    connections: whole("connections", values.connections, 1, 1_000),
    json: values.json,
    record: values.record,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}
