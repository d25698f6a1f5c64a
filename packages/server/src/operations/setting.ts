import * as v from "valibot";

/** How a setting's text is read, and how people are told what it must be. */
export interface Kind<T> {
  /** Goes on "it must be …". */
  readonly type: string;
  readonly schema: v.GenericSchema<string, T>;
}

/** One `TANDEM_*` variable. */
export interface Setting<T = unknown> extends Kind<T> {
  readonly name: string;
  readonly group: Group;
  /** What it means, one sentence or two, for docs/configuration.md. */
  readonly meaning: string;
  /** The default's text, or in brackets how it is found. */
  readonly default: string;
  /** Its value is never printed. */
  readonly secret: boolean;
}

export type Group = "server" | "access" | "log" | "limits" | "command";

export function wholeNumber(least: number, most: number): Kind<number> {
  return {
    type: `a whole number from ${least} to ${most}`,
    schema: v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number), v.minValue(least), v.maxValue(most)),
  };
}

export function oneOf<const T extends readonly string[]>(words: T): Kind<T[number]> {
  return { type: `one of ${words.join(", ")}`, schema: v.picklist(words) };
}

export const text = (type: string): Kind<string> => ({ type, schema: v.pipe(v.string(), v.regex(/^[^\p{Cc}]+$/u)) });

/** Texts with commas between them. */
export function list(type: string, accepts: (entry: string) => boolean): Kind<readonly string[]> {
  return {
    type,
    schema: v.pipe(
      v.string(),
      v.transform((value) => value.split(",").map((entry) => entry.trim())),
      v.check((entries) => entries.every(accepts)),
    ),
  };
}

/** An origin exactly as browsers write it. */
export function isOrigin(value: string): boolean {
  return /^https?:/.test(value) && URL.parse(value)?.origin === value;
}
