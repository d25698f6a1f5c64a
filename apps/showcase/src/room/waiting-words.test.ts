import { expect, it } from "vitest";
import { waitingWords } from "./waiting-words.ts";

it("says what waits, each kind by its number", () => {
  expect(waitingWords(1, 0)).toBe("1 message waits here, to go out in order.");
  expect(waitingWords(3, 0)).toBe("3 messages wait here, to go out in order.");
  expect(waitingWords(0, 1)).toBe("1 change waits here, to go out in order.");
  expect(waitingWords(2, 4)).toBe("2 messages and 4 changes wait here, to go out in order.");
});
