import type { PeopleView, PersonHere } from "./people.ts";

/** More names than these are counted. */
const NAMED = 3;

/** Who is typing, as one says it. Empty where nobody is. */
export function typingWords(names: readonly string[]): string {
  const [first, second] = names;
  if (first === undefined) return "";
  if (second === undefined) return `${first} is typing…`;
  if (names.length > NAMED) return `${first}, ${second} and ${names.length - 2} others are typing…`;
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)} are typing…`;
}

/** How many are there, the reader among them; or were, as far as was known when the connection was lost. */
export function countWords({ count, status }: Pick<PeopleView, "count" | "status">): string {
  if (count <= 1) return "Only you";
  return status === "live" ? `${count} here` : `${count} were here`;
}

const STATUS_WORDS: Record<PersonHere["status"], string> = {
  active: "Active",
  idle: "Idle",
  away: "Away",
  reconnecting: "Reconnecting…",
};

/** What there is to know of somebody beside their name. */
export function personWords({ status, devices }: PersonHere): string {
  return devices > 1 ? `${STATUS_WORDS[status]}, ${devices} devices` : STATUS_WORDS[status];
}
