import type { Numbered } from "./hall.ts";

/** Devices that everybody is shown in a crowd: those that came first. */
export const SHOWN = 2;

/** In what a crowd is divided: those of one row are shown to each other. */
const ROWS = 3;

/** May more people be in this hall than each is shown? */
export function isCrowd(hall: string): boolean {
  return hall.startsWith("crowd:");
}

/** Where somebody is who says this of itself. */
export function rowOf(state: Numbered | undefined): string | undefined {
  return state && `row ${state.n % ROWS}`;
}

/** What devices say of themselves, by their names. */
export type Saying = ReadonlyMap<string, number | undefined>;

function rowIn(said: Saying, device: string): string | undefined {
  const n = said.get(device);
  return n === undefined ? undefined : rowOf({ n });
}

/** Those that somebody in this row is shown for no other reason than that they came first. */
function farFrom(row: string | undefined, shown: Saying): string[] {
  return [...shown.keys()].filter((device) => row === undefined || rowIn(shown, device) !== row);
}

/** R6: @returns what is wrong with what somebody is shown of a crowd, in whichever row it is just then */
export function overshown(shown: Saying): string | undefined {
  const rows = [undefined, ...new Set([...shown.keys()].map((device) => rowIn(shown, device)))];
  if (rows.some((row) => farFrom(row, shown).length <= SHOWN)) return undefined;
  return `is shown ${[...shown.keys()].join(", ")}: of more than one row, and more than ${SHOWN} besides`;
}

/** R6: @returns what is wrong with what a device is shown of a crowd, when these are there and everybody knows */
export function misshown(shown: Saying, own: string | undefined, there: Saying): string | undefined {
  const row = own === undefined ? undefined : rowIn(there, own);
  for (const device of there.keys()) {
    if (row !== undefined && rowIn(there, device) === row && !shown.has(device))
      return `is not shown ${device}, who is near`;
  }
  const least = Math.min(SHOWN, there.size);
  if (shown.size < least) return `is shown ${shown.size} of ${there.size}, and should be ${least}`;
  const far = farFrom(row, shown);
  return far.length > SHOWN ? `is shown ${far.join(", ")}, who are not near, and ${SHOWN} are enough` : undefined;
}
