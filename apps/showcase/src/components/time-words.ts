const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "numeric", minute: "2-digit" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const WEEKDAY = new Intl.DateTimeFormat("en-GB", { weekday: "long" });
const DATE = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long" });
const DATE_AND_YEAR = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });

const DAY = 86_400_000;

/** The hour and minute, as the reader writes them. */
export function clockTime(time: number): string {
  return CLOCK.format(time);
}

export function fullTime(time: number): string {
  return FULL.format(time);
}

/** When the reader's calendar day of `time` begins, in milliseconds since 1970. */
export function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

/** A day as people say it: Today, Yesterday, Tuesday, Tuesday 4 March, 4 March 2019. `today`: when today began. */
export function dayName(time: number, today: number): string {
  const days = Math.round((today - startOfDay(time)) / DAY);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  if (days > 1 && days < 7) return WEEKDAY.format(time);
  const sameYear = new Date(time).getFullYear() === new Date(today).getFullYear();
  return (sameYear ? DATE : DATE_AND_YEAR).format(time);
}
