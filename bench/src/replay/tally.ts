/** What became of a trace's transactions somewhere. */
export interface Tally {
  /** Transactions that are not there. */
  readonly lost: number;
  /** Copies beyond the first. */
  readonly duplicated: number;
}

/** Compares how often each transaction is somewhere with once each of `0 … transactions - 1`. */
export function tallyOf(counts: ReadonlyMap<number, number>, transactions: number): Tally {
  let lost = 0;
  let duplicated = 0;
  for (let index = 0; index < transactions; index++) if (!counts.has(index)) lost++;
  for (const [index, count] of counts) duplicated += index < transactions ? count - 1 : count;
  return { lost, duplicated };
}

/** All tallies in one: lost anywhere is lost. */
export function sumOf(tallies: readonly Tally[]): Tally {
  return {
    lost: tallies.reduce((sum, { lost }) => sum + lost, 0),
    duplicated: tallies.reduce((sum, { duplicated }) => sum + duplicated, 0),
  };
}
