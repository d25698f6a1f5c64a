import { expect, it } from "vitest";
import { dayName, startOfDay } from "./time-words.ts";

it("names days as people do", () => {
  const today = startOfDay(new Date(2026, 2, 11, 15).getTime());
  const at = (year: number, month: number, day: number) =>
    dayName(new Date(year, month - 1, day, 23, 30).getTime(), today);
  expect(at(2026, 3, 11)).toBe("Today");
  expect(at(2026, 3, 10)).toBe("Yesterday");
  expect(at(2026, 3, 6)).toBe("Friday");
  expect(at(2026, 3, 4)).toMatch(/Wednesday.*4|4.*March/);
  expect(at(2025, 3, 4)).toContain("2025");
});
