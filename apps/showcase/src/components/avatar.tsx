import type { CSSProperties } from "react";

/** A person's initials on a colour of their own. For the eyes only: the name stands beside it. */
export function Avatar({ name, author }: { name: string; author: string }) {
  return (
    <span className="avatar" style={{ "--hue": hueOf(author) } as CSSProperties} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}

/** A colour's angle, always the same for the same author. */
export function hueOf(author: string): number {
  let sum = 0;
  for (let at = 0; at < author.length; at++) sum = (Math.imul(sum, 31) + author.charCodeAt(at)) >>> 0;
  // Steps of the golden angle keep neighbouring sums apart.
  return Math.round((sum % 360) * 137.508) % 360;
}

/** The first letters of the first and the last word. */
export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/);
  const first = [...(words[0] ?? "")][0] ?? "";
  const last = words.length > 1 ? ([...(words.at(-1) ?? "")][0] ?? "") : "";
  return (first + last).toUpperCase();
}
