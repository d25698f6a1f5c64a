import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { mutantNames } from "./mutants.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));

it("there are at least twelve mutants", () => {
  expect(mutantNames().length).toBeGreaterThanOrEqual(12);
});

it.each(mutantNames())("the mutant %s still applies to the sources", (name) => {
  const patch = fileURLToPath(new URL(`../mutants/${name}.patch`, import.meta.url));
  execFileSync("git", ["apply", "--recount", "--check", patch], { cwd: root, stdio: "pipe" });
});
