import type { Figures } from "./report.ts";
import { significant } from "./report.ts";

/** One measurement of one system. */
export type Round = () => Promise<Figures>;

/**
 * Measures systems in turns, so that what else the machine does falls on all of them, and gives each figure's median.
 * Each turn begins with another system, so that none always follows the same one.
 */
export async function inTurns(
  systems: Readonly<Record<string, Round>>,
  rounds: number,
  told: (system: string, round: number, figures: Figures) => void,
): Promise<Record<string, Figures>> {
  const names = Object.keys(systems);
  const found: Record<string, Figures[]> = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const at of names.keys()) {
      const name = names[(at + round) % names.length] ?? "";
      const figures = await systems[name]?.();
      if (!figures) continue;
      found[name]?.push(figures);
      told(name, round + 1, figures);
    }
  }
  return Object.fromEntries(Object.entries(found).map(([name, all]) => [name, medians(all)]));
}

/** The median of each figure. */
export function medians(all: readonly Figures[]): Figures {
  const names = Object.keys(all[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, significant(median(all.map((figures) => figures[name] ?? 0)))]));
}

/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = 0, high = 0] = sorted.length % 2 === 0 ? sorted.slice(middle - 1) : [sorted[middle], sorted[middle]];
  return (low + high) / 2;
}
