import { expect, test } from "vitest";
import type { Report } from "./verdict.ts";
import { verdictOf } from "./verdict.ts";

const file = (status: string, ...statuses: string[]): Report["testResults"][number] => ({
  name: "a.test.ts",
  status,
  assertionResults: statuses.map((each) => ({ status: each, fullName: `a ${each} test` })),
});

test("skipped tests, files that do not load and failed steps count as failures", () => {
  const report = {
    testResults: [file("passed", "passed", "passed", "skipped"), file("failed"), file("failed", "failed")],
  };
  expect(verdictOf(report, ["tests", "lint"])).toEqual({
    passed: 2,
    failures: [
      "skipped: a skipped test (a.test.ts)",
      "not loaded: a.test.ts",
      "failed: a failed test (a.test.ts)",
      "step lint failed",
    ],
  });
});

test("a test run that fails without a failed test is a failure", () => {
  expect(verdictOf({ testResults: [file("passed", "passed")] }, ["tests"])).toEqual({
    passed: 1,
    failures: ["step tests failed"],
  });
});

test("no report is a failure", () => {
  expect(verdictOf(undefined, []).failures).toEqual(["the tests left no report"]);
});
