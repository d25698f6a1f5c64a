/**
 * The last line of a CI run: `N passed, N failed`, from Vitest's own counts.
 *
 *     node scripts/verdict.ts artefacts/tests.json [STEP …]
 *
 * In CI nothing is skipped, so a skipped test counts as failed; so does a test file that could not be loaded, and each
 * STEP, the name of another step that failed. Exit code 1 if anything failed or nothing passed.
 */
import { existsSync, readFileSync } from "node:fs";

/** The part of Vitest's JSON report that matters here. */
export interface Report {
  testResults: { name: string; status: string; assertionResults: { status: string; fullName: string }[] }[];
}

/** How many tests passed, and a sentence on each failure. The step `tests` counts only if its report shows no failure. */
export function verdictOf(report: Report | undefined, failedSteps: string[]): { passed: number; failures: string[] } {
  let passed = 0;
  const failures: string[] = [];
  for (const file of report?.testResults ?? []) {
    for (const { status, fullName } of file.assertionResults) {
      if (status === "passed") passed += 1;
      else failures.push(`${status}: ${fullName} (${file.name})`);
    }
    const hasFailed = file.assertionResults.some((result) => result.status === "failed");
    if (file.status === "failed" && !hasFailed) failures.push(`not loaded: ${file.name}`);
  }
  if (report === undefined) failures.push("the tests left no report");
  const steps = failedSteps.filter((step) => step !== "tests" || failures.length === 0);
  return { passed, failures: [...failures, ...steps.map((step) => `step ${step} failed`)] };
}

function main(): void {
  const [file = "artefacts/tests.json", ...failedSteps] = process.argv.slice(2);
  const report = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Report) : undefined;
  const { passed, failures } = verdictOf(report, failedSteps);
  for (const failure of failures) console.log(failure);
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exitCode = failures.length > 0 || passed === 0 ? 1 : 0;
}

if (import.meta.main) main();
