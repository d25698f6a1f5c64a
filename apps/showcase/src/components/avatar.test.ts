import { expect, it } from "vitest";
import { hueOf, initialsOf } from "./avatar.tsx";

it("takes the first letters of the first and the last word", () => {
  expect(initialsOf("ada")).toBe("A");
  expect(initialsOf(" Ada  King Lovelace ")).toBe("AL");
  expect(initialsOf("🦊 Fox")).toBe("🦊F");
});

it("gives an author one colour for good", () => {
  expect(hueOf("guest~a")).toBe(hueOf("guest~a"));
  expect(hueOf("guest~a")).not.toBe(hueOf("guest~b"));
});
