/**
 * A name as others may be shown it: without control characters and those that turn the direction of the text around
 * them, without spaces at its ends; `undefined` when nothing is left.
 */
export function displayName(name: string | undefined): string | undefined {
  const clean = name
    ?.toWellFormed()
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/gu, "")
    .trim();
  return clean || undefined;
}
