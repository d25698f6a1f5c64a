import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DEFINITION, examplesOf, PAGES, SURROUNDINGS } from "./docs-examples.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let folder: string;
/** What the compiler says of all pages' examples, a line each; each page has a folder of its own. */
let said: string[];

const folderOf = (page: string) => page.replaceAll(/\W/g, "-");

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-examples-"));
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  for (const page of PAGES) write(page);
  const compilerOptions = { types: ["node"], noUnusedLocals: false, noUnusedParameters: false };
  const options = { extends: join(ROOT, "tsconfig.json"), include: ["*.d.ts", "*/*.ts"], compilerOptions };
  writeFileSync(join(folder, "surroundings.d.ts"), SURROUNDINGS);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(options));
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [compiler, "-p", folder, "--pretty", "false"];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  said = `${stdout}${stderr}`.split("\n").filter(Boolean);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(page: string): void {
  const place = join(folder, folderOf(page));
  mkdirSync(place);
  const files = new Map([
    ["votes.ts", 'import { vote } from "@tandem/model";\n\nexport const votes = vote();\n'],
    ["jobs.ts", 'import { job } from "@tandem/model";\n\nexport const jobs = job();\n'],
    ["tandem.config.ts", DEFINITION],
    ...examplesOf(page),
  ]);
  for (const [file, text] of files) writeFileSync(join(place, file), text);
}

it.each(PAGES)("the examples of %s compile", (page) => {
  expect(said.filter((line) => line.startsWith(`${folderOf(page)}/`))).toEqual([]);
});

it("and the compiler says nothing else", () => {
  const folders = PAGES.map((page) => `${folderOf(page)}/`);
  expect(said.filter((line) => !folders.some((name) => line.startsWith(name)))).toEqual([]);
});
