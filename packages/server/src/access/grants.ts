import type { Grants, Right } from "@tandem/app";
import { RIGHTS } from "@tandem/app";
import { isChannelName, matchesPattern } from "@tandem/protocol";
import * as v from "valibot";

/** Most patterns in one token's grants, and the longest of them. */
const MAX_PATTERNS = 256;
const MAX_PATTERN = 160;

const NO_RIGHTS: readonly Right[] = [];

/**
 * Could this pattern cover a channel? `room:42`, `room:team-*`, `room:*` or `*`. One that never could (`room*`,
 * `*:42`) is somebody's mistake, and is better told than silently granting nothing.
 */
function isPattern(text: string): boolean {
  return text === "*" || isChannelName(text) || (text.endsWith("*") && isChannelName(`${text.slice(0, -1)}x`));
}

/** The claim `grants`: rights by channel pattern. */
export const GrantsSchema = v.pipe(
  v.custom<Record<string, unknown>>(isPlainObject, "is an object of channel patterns"),
  v.check((grants) => Object.keys(grants).length <= MAX_PATTERNS, `holds ${MAX_PATTERNS} patterns at most`),
  v.check(
    (grants) => Object.keys(grants).every((pattern) => pattern.length <= MAX_PATTERN && isPattern(pattern)),
    "may hold patterns such as room:42, room:team-*, room:* and * only",
  ),
  v.record(
    v.string(),
    v.pipe(
      v.array(
        v.picklist(RIGHTS, `may hold the rights ${RIGHTS.join(", ")} only`),
        "gives each pattern a list of rights",
      ),
      v.maxLength(RIGHTS.length, "gives a pattern a right twice"),
    ),
  ),
);

function isPlainObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The rights that grants give on a channel: those of every pattern that covers it, in the order of `RIGHTS`. */
export function grantedRights(grants: Grants, channel: string): readonly Right[] {
  const found = new Set<Right>();
  for (const pattern of Object.keys(grants)) {
    if (matchesPattern(pattern, channel)) for (const right of grants[pattern] ?? []) found.add(right);
  }
  return expandRights(found);
}

/** Every set of rights that was asked for, by the sum of its rights' bits: all who have the same rights share one list. */
const SETS: (readonly Right[])[] = [];

/** Every right that these include, without those that do not exist: `admin` includes all. */
export function expandRights(rights: Iterable<unknown>): readonly Right[] {
  const held = new Set(rights);
  if (held.size === 0) return NO_RIGHTS;
  if (held.has("admin")) return RIGHTS;
  const bits = RIGHTS.reduce((sum, right, at) => (held.has(right) ? sum + 2 ** at : sum), 0);
  SETS[bits] ??= RIGHTS.filter((right) => held.has(right));
  return SETS[bits];
}
