import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ERRORS_PAGE, errorsDocs } from "./errors-docs.ts";

test("docs/errors.md is what the table of errors says", () => {
  expect(readFileSync(ERRORS_PAGE, "utf8"), "run `node scripts/errors-docs.ts`").toBe(errorsDocs());
});
