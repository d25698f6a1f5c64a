import { readFileSync } from "node:fs";

/** A seed that once broke something. It runs always. */
export interface Pinned {
  readonly seed: number;
  /** What it had broken, and why. */
  readonly why: string;
}

/** The pinned seeds, from `pinned.json`. */
export function pinned(): readonly Pinned[] {
  return JSON.parse(readFileSync(new URL("./pinned.json", import.meta.url), "utf8"));
}
