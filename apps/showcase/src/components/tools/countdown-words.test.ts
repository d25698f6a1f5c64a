import { expect, it } from "vitest";
import { timeLeft } from "./countdown-words.ts";

it("tells the time that is left, never less than none", () => {
  expect([42_000, 41_001, 725_000, 7_300_000, 0, -5].map(timeLeft)).toEqual([
    "0:42",
    "0:42",
    "12:05",
    "2 h",
    "0:00",
    "0:00",
  ]);
});
