import { channel } from "@tandem/app";
import { rowOf, SHOWN } from "./crowd.ts";

/** What a member says of itself, and what it signals. No two have the same number. */
export interface Numbered {
  readonly n: number;
}

/** A schema by hand: a number, and nothing else. */
const numbered = {
  "~standard": {
    version: 1 as const,
    vendor: "simulation",
    validate(value: unknown): { value: Numbered } | { issues: { message: string }[] } {
      const n = (value as Partial<Numbered> | null)?.n;
      return typeof n === "number" ? { value: { n } } : { issues: [{ message: "there is a number" }] };
    },
    types: undefined as { readonly input: Numbered; readonly output: Numbered } | undefined,
  },
};

/** The channel type in which people are present. */
export const hall = channel({
  events: {},
  presence: { state: numbered },
  signals: { cursor: numbered, typing: numbered },
});

/** The channel type in which more people are present than each is shown. */
export const crowd = channel({
  events: {},
  presence: { state: numbered, show: SHOWN, near: rowOf },
  signals: { cursor: numbered, typing: numbered },
});

export const SIGNALS = ["cursor", "typing"] as const;

/** The halls of a schedule: of some, one is a crowd. */
export const HALLS = ["hall:a0", "hall:a1"] as const;
export const CROWDED_HALLS = ["hall:a0", "crowd:a0"] as const;

/** A hall that may be read, but not entered. */
export const GALLERY = "hall:b0";

/** A hall that is in nobody's grants. */
export const CLOSED_HALL = "hall:c0";

/** The rights of everybody in halls. */
export const HALL_GRANTS = {
  "hall:a*": ["read", "presence", "signal"],
  "crowd:a*": ["read", "presence", "signal"],
  "hall:b*": ["read"],
} as const;
