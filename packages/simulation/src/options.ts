import { parseArgs } from "node:util";

/** What a run of the simulator is asked for. */
export interface Options {
  /** How many schedules. */
  readonly schedules: number;
  /** The first schedule's seed; the others follow it. */
  readonly from: number;
  /** This one seed and no other, with its trace. */
  readonly seed: number | undefined;
  /** Plant every mutant and see it caught. */
  readonly mutants: boolean;
  /** Only mutants whose name holds this text. */
  readonly only: string | undefined;
  /** Keep the seeds by which mutants were caught: they are tried first the next time. */
  readonly record: boolean;
  readonly json: boolean;
  /** Worker processes. */
  readonly workers: number;
  /** End at the first violation. */
  readonly bail: boolean;
}

export const HELP = `Runs the real server and the real client on a virtual clock and network, and looks for broken guarantees.

  npm run simulate -- [--schedules N] [--from SEED] [--seed SEED] [--mutants] [--only NAME] [--record] [--json]

  --schedules N   schedules to run (default 200), each of its own seed, besides the pinned ones
  --from SEED     seed of the first (default 1)
  --seed SEED     replay this one schedule exactly, and print its trace where it broke something
  --mutants       plant each mutant of packages/simulation/mutants and see it caught within 2,000 schedules
  --only NAME     of the mutants, those whose name holds this text
  --record        keep the seeds that caught them, as the first to be tried the next time
  --workers N     processes to use (default: one per core)
  --bail          end at the first violation
  --json          print one object last

Exit code 1: a guarantee was broken, a mutant was not caught, or a path was never taken in 10,000 schedules.`;

/** @throws RangeError with a sentence for people */
export function parseOptions(args: readonly string[], cores: number): Options | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      schedules: { type: "string", default: "200" },
      from: { type: "string", default: "1" },
      seed: { type: "string" },
      mutants: { type: "boolean", default: false },
      only: { type: "string" },
      record: { type: "boolean", default: false },
      workers: { type: "string", default: String(cores) },
      bail: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    schedules: whole("schedules", values.schedules, 0, 10_000_000),
    from: whole("from", values.from, 0, 0xffff_ffff),
    seed: values.seed === undefined ? undefined : whole("seed", values.seed, 0, 0xffff_ffff),
    mutants: values.mutants,
    only: values.only,
    record: values.record,
    workers: whole("workers", values.workers, 1, 64),
    bail: values.bail,
    json: values.json,
  };
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new RangeError(`--${name} is a whole number from ${least} to ${most}, not "${text}"`);
  }
  return value;
}
