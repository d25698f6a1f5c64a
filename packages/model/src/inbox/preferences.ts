import * as v from "valibot";

const Minute = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(1_439));

/** Hours in which nothing but critical notifications disturbs: minutes of the day, over midnight where `from` is later than `to`. */
const QuietSchema = v.strictObject({
  from: Minute,
  to: Minute,
  /** Minutes that the user's clock is ahead of UTC. */
  offset: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(-840), v.maxValue(840)), 0),
});

/** Most kinds that a user has a word on. */
export const KINDS = 200;

/** What is to be changed of a user's preferences: what is left out, and kinds that are not named, stay as they are. */
export const PreferencesChangeSchema = v.strictObject({
  quiet: v.optional(v.nullable(QuietSchema)),
  kinds: v.optional(
    v.pipe(
      v.record(v.pipe(v.string(), v.minLength(1), v.maxLength(64)), v.picklist(["push", "quiet", "off"])),
      v.check((kinds) => Object.keys(kinds).length <= KINDS, `${KINDS} kinds at most`),
    ),
  ),
});

type PreferencesChange = v.InferOutput<typeof PreferencesChangeSchema>;

/** What a user wants to hear of. */
export interface Preferences {
  readonly quiet: v.InferOutput<typeof QuietSchema> | null;
  /** Kinds of notifications that are not pushed, or not taken at all; `critical` ones always are. */
  readonly kinds: Readonly<Record<string, "quiet" | "off">>;
}

export const DEFAULT_PREFERENCES: Preferences = { quiet: null, kinds: {} };

export function changedBy({ quiet, kinds }: Preferences, change: PreferencesChange): Preferences {
  const all = Object.entries({ ...kinds, ...change.kinds });
  return {
    quiet: change.quiet === undefined ? quiet : change.quiet,
    kinds: Object.fromEntries(all.flatMap(([kind, wanted]) => (wanted === "push" ? [] : [[kind, wanted] as const]))),
  };
}

/** The change that makes of what a change has made what was there before. */
export function takenBack({ quiet, kinds }: Preferences, change: PreferencesChange): PreferencesChange {
  const before = (kind: string) => (Object.hasOwn(kinds, kind) ? kinds[kind] : undefined) ?? "push";
  return {
    ...(change.quiet === undefined ? {} : { quiet }),
    ...(change.kinds && {
      kinds: Object.fromEntries(Object.keys(change.kinds).map((kind) => [kind, before(kind)])),
    }),
  };
}

/** How a notification of a kind is taken at a time. `push`: devices are told, and where none answers the application is. */
export function takenAs(
  { quiet, kinds }: Preferences,
  { kind, priority }: { readonly kind: string; readonly priority: string },
  time: number,
): "push" | "quiet" | "off" {
  if (priority === "critical") return "push";
  const wanted = Object.hasOwn(kinds, kind) ? kinds[kind] : "push";
  return wanted === "push" && quiet && isWithin(quiet, time) ? "quiet" : (wanted ?? "push");
}

function isWithin({ from, to, offset }: v.InferOutput<typeof QuietSchema>, time: number): boolean {
  const minute = Math.floor(time / 60_000 + offset) % 1_440;
  return from <= to ? minute >= from && minute < to : minute >= from || minute < to;
}
