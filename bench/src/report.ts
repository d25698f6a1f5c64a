/** A system's figures: camel case names that carry their unit. */
export type Figures = Readonly<Record<string, number>>;

/** The figures of every system that ran, by its name. */
export type Systems = Readonly<Record<string, Figures>>;

/** A goal for a ratio (Tandem's figure divided by the peer's) or, without a peer, for a figure of a system. */
export interface Goal {
  readonly system: string;
  readonly figure: string;
  /** Left out: the goal is for the figure itself. */
  readonly peer?: string;
  readonly least?: number;
  readonly most?: number;
}

/** What a scenario found. */
export interface Result {
  readonly systems: Systems;
  readonly goals: readonly Goal[];
  /** Sentences for people: what was measured where, and what was left out. */
  readonly notes: readonly string[];
  /** Why the run has failed, where there are figures all the same: something was lost or came twice. */
  readonly failure?: string;
}

/** The one object that `--json` prints last. */
export interface Report {
  readonly scenario: string;
  readonly systems: Systems;
  readonly ratios: Figures;
}

/** The system that the others are peers of. */
const TANDEM = "tandem";

/** Tandem's figures divided by those of the same name of each peer, keyed `figure/peer`. */
export function ratiosOf(systems: Systems): Figures {
  const { [TANDEM]: own = {}, ...peers } = systems;
  const ratios: Record<string, number> = {};
  for (const [peer, figures] of Object.entries(peers)) {
    for (const [figure, value] of Object.entries(figures)) {
      const mine = own[figure];
      if (mine !== undefined && value !== 0) ratios[`${figure}/${peer}`] = significant(mine / value);
    }
  }
  return ratios;
}

export function reportOf(scenario: string, { systems }: Result): Report {
  return { scenario, systems, ratios: ratiosOf(systems) };
}

/** A goal and whether it was reached, or nothing where its system or peer did not run. */
export function judge(
  goal: Goal,
  systems: Systems,
): { readonly sentence: string; readonly reached: boolean } | undefined {
  const { system, figure, peer, least, most } = goal;
  const own = systems[system]?.[figure];
  const value = peer === undefined ? own : ratiosOf(systems)[`${figure}/${peer}`];
  if (value === undefined) return undefined;
  const reached = (least === undefined || value >= least) && (most === undefined || value <= most);
  const bound = [least === undefined ? "" : `at least ${least}`, most === undefined ? "" : `at most ${most}`].join("");
  const name = peer === undefined ? `${system} ${figure}` : `${figure}/${peer}`;
  return { sentence: `${reached ? "reached" : "missed"}  ${name} = ${grouped(value)} (goal: ${bound})`, reached };
}

/** The result as a table for a terminal. */
export function tableOf(result: Result): string {
  const { systems, goals, notes } = result;
  const figures = [...new Set(Object.values(systems).flatMap((of) => Object.keys(of)))];
  const rows = Object.entries(systems).map(([name, of]) => [
    name,
    ...figures.map((figure) => (of[figure] === undefined ? "–" : grouped(of[figure]))),
  ]);
  const table = [["", ...figures], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string =>
    row.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join("  ");
  const ratios = Object.entries(ratiosOf(systems)).map(([name, value]) => `${name} = ${grouped(value)}`);
  const judged = goals.flatMap((goal) => judge(goal, systems)?.sentence ?? []);
  const parts = [table.map(line), ratios, judged, notes].filter((part) => part.length > 0);
  return parts.map((part) => part.join("\n")).join("\n\n");
}

/** Three significant digits: more would claim what no run can hold. */
export function significant(value: number): number {
  return Number(value.toPrecision(3));
}

function grouped(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 });
}
