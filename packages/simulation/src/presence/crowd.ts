import type { Numbered } from "./hall.ts";

/** Devices that everybody is shown in a crowd: those that came first. */
export const SHOWN = 2;

/** In what a crowd is divided: those of one row are shown to each other. */
const ROWS = 2;

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

/** Those that one is shown for no other reason than that they came first. */
function strangers(shown: Saying, own: string | undefined): string[] {
  const row = own === undefined ? undefined : rowIn(shown, own);
  return [...shown.keys()].filter((device) => row === undefined || rowIn(shown, device) !== row);
}

function rowIn(shown: Saying, device: string): string | undefined {
  const n = shown.get(device);
  return n === undefined ? undefined : rowOf({ n });
}

/** R6: @returns what is wrong with what a device is shown of a crowd, whatever of it its node knows */
export function overshown(shown: Saying, own: string | undefined): string | undefined {
  const far = strangers(shown, own);
  return far.length > SHOWN ? `is shown ${far.join(", ")}, of which none is near, and ${SHOWN} are enough` : undefined;
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
  return overshown(shown, own);
}
