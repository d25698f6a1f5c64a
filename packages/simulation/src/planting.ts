import { readFileSync, writeFileSync } from "node:fs";
import type { Mutant } from "./mutants.ts";
import { mutantNames, Plot } from "./mutants.ts";
import type { Options } from "./options.ts";
import { pinned } from "./pinned.ts";

/** Schedules within which a mutant is to be caught. */
const WITHIN = 2_000;

/** The seed that caught a mutant last, by its name: the first to be tried, and no more than that. */
const CATCHES = new URL("./catches.json", import.meta.url);

function catches(): Record<string, number> {
  return JSON.parse(readFileSync(CATCHES, "utf8"));
}

/** Plants each mutant, as many at a time as there are workers, and tells of each when it is known. */
export async function plantAll(options: Options, tell: (mutant: Mutant) => void): Promise<Mutant[]> {
  const known = catches();
  const usual = [...pinned().map(({ seed }) => seed), ...Array.from({ length: WITHIN }, (_, at) => at + 1)];
  const names = mutantNames(options.only);
  const mutants: Mutant[] = [];
  const work = async () => {
    const plot = new Plot();
    try {
      for (let name = names.shift(); name !== undefined; name = names.shift()) {
        const first = known[name];
        const seeds = new Set(first === undefined ? usual : [first, ...usual]);
        const mutant = await plot.plant(name, [...seeds]);
        mutants.push(mutant);
        if (options.record) record(mutant);
        tell(mutant);
      }
    } catch (error) {
      names.length = 0;
      throw error;
    } finally {
      plot.remove();
    }
  };
  // One that cannot be planted ends the run: the others finish the mutant in hand.
  for (const result of await Promise.allSettled(Array.from({ length: Math.min(options.workers, names.length) }, work)))
    if (result.status === "rejected") throw result.reason;
  return mutants.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Keeps the seed by which a mutant was caught. */
function record({ name, seed }: Mutant): void {
  if (seed === undefined) return;
  const known = { ...catches(), [name]: seed };
  const kept = mutantNames().filter((mutant) => known[mutant] !== undefined);
  writeFileSync(
    CATCHES,
    `${JSON.stringify(Object.fromEntries(kept.map((mutant) => [mutant, known[mutant]])), null, 2)}\n`,
  );
}
