import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFINITION, examplesOf, PAGES, SURROUNDINGS } from "./docs-examples.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-examples-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** @returns what the compiler says of a page's examples */
function compile(page: string): string {
  const name = page.replaceAll(/\W/g, "-");
  const place = join(folder, name);
  mkdirSync(place);
  const files = new Map([
    ["votes.ts", 'import { vote } from "@tandem/model";\n\nexport const votes = vote();\n'],
    ["jobs.ts", 'import { job } from "@tandem/model";\n\nexport const jobs = job();\n'],
    ["tandem.config.ts", DEFINITION],
    ["surroundings.d.ts", SURROUNDINGS],
    ...examplesOf(page),
  ]);
  for (const [file, text] of files) writeFileSync(join(place, file), text);
  const compilerOptions = { types: ["node"], noUnusedLocals: false, noUnusedParameters: false };
  const options = { extends: join(ROOT, "tsconfig.json"), include: ["*.ts"], compilerOptions };
  writeFileSync(join(place, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(place, "tsconfig.json"), JSON.stringify(options));
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", place], { cwd: place, encoding: "utf8" });
  return `${stdout}${stderr}`;
}

it.each(PAGES)("the examples of %s compile", (page) => {
  expect(compile(page)).toBe("");
});
