import * as v from "valibot";

const Minute = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(1_439));

/** Hours in which nothing but critical notifications disturbs: minutes of the day, over midnight where `from` is later than `to`. */
export const QuietSchema = v.strictObject({
  from: Minute,
  to: Minute,
  /** Minutes that the user's clock is ahead of UTC. */
  offset: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(-840), v.maxValue(840)), 0),
});

/** What a user wants to hear of. */
export const PreferencesSchema = v.strictObject({
  quiet: v.optional(v.nullable(QuietSchema), null),
  /** Kinds of notifications that are not pushed, or not taken at all; `critical` ones always are. */
  kinds: v.optional(v.record(v.pipe(v.string(), v.maxLength(64)), v.picklist(["push", "quiet", "off"])), {}),
});

export type Preferences = v.InferOutput<typeof PreferencesSchema>;

export const DEFAULT_PREFERENCES: Preferences = { quiet: null, kinds: {} };

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
