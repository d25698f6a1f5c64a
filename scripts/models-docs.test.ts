import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const MODULES = join(ROOT, "node_modules");

/** The files that stand in the guide. */
const files = new Map(
  [...readFileSync(join(ROOT, "docs/models.md"), "utf8").matchAll(/^```ts file=(\S+)\n(.*?)^```$/gms)].map(
    ([, name = "", text = ""]) => [name, text],
  ),
);

let folder: string;

/** The guide's files in a folder as its reader has it. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-guide-"));
  symlinkSync(MODULES, join(folder, "node_modules"));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function run(...args: string[]): { readonly status: number | null; readonly said: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}` };
}

describe("the guide to models", () => {
  it("has a program that does what it says", () => {
    expect(run("try.ts")).toMatchObject({ status: 0 });
  });

  it("has a model of one's own whose tests pass, in under 60 lines altogether", () => {
    const lines = ["stars.ts", "stars.test.ts"].flatMap((name) => files.get(name)?.split("\n") ?? []);
    expect(lines.filter((line) => line.trim() !== "").length).toBeLessThan(60);
    const { status, said } = run(join(MODULES, "vitest/vitest.mjs"), "run", "--root", folder);
    expect({ status, said }).toMatchObject({ status: 0, said: expect.stringContaining("2 passed") });
  });
});
