import { execFileSync, spawn } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Schedules within which a mutant is to be caught. */
const WITHIN = 2_000;

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = fileURLToPath(new URL("../mutants/", import.meta.url));

/** What became of one planted mutant. */
export interface Mutant {
  readonly name: string;
  readonly caught: boolean;
  /** Schedules that it took. */
  readonly schedules: number;
  /** The rule that it broke first. */
  readonly rule: string | undefined;
}

/** The names of the mutants: one patch each, that breaks one thing in the server or the client. */
export function mutantNames(only = ""): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".patch") && file.includes(only))
    .map((file) => file.slice(0, -".patch".length))
    .sort();
}

/**
 * Plants a mutant in a copy of the packages and runs schedules there until one breaks something.
 *
 * @throws Error when the patch does not apply (any more), or the simulator does not run in the copy
 */
export async function plant(name: string, workers: number): Promise<Mutant> {
  const copy = mkdtempSync(join(tmpdir(), "tandem-mutant-"));
  try {
    copyPackages(copy);
    apply(name, copy);
    const { violations, schedules, rule } = await simulate(copy, workers, name);
    return { name, caught: violations > 0, schedules, rule };
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** The packages' sources, with `@tandem/*` leading to the copies and everything else to what is installed. */
function copyPackages(copy: string): void {
  const installed = join(ROOT, "node_modules");
  mkdirSync(join(copy, "node_modules", "@tandem"), { recursive: true });
  for (const name of readdirSync(installed)) {
    if (name !== "@tandem" && !name.startsWith("."))
      symlinkSync(join(installed, name), join(copy, "node_modules", name));
  }
  for (const name of readdirSync(join(ROOT, "packages"))) {
    const to = join(copy, "packages", name);
    cpSync(join(ROOT, "packages", name), to, { recursive: true, filter: (path) => !path.includes("node_modules") });
    symlinkSync(to, join(copy, "node_modules", "@tandem", name));
  }
}

function apply(name: string, copy: string): void {
  try {
    const patch = readFileSync(join(FOLDER, `${name}.patch`));
    execFileSync("git", ["apply", "--recount", "-"], { cwd: copy, input: patch, stdio: ["pipe", "pipe", "pipe"] });
  } catch (cause) {
    throw new Error(`the mutant "${name}" does not apply any more: make its patch anew`, { cause });
  }
}

function simulate(
  copy: string,
  workers: number,
  name: string,
): Promise<{ violations: number; schedules: number; rule: string | undefined }> {
  return new Promise((resolve, reject) => {
    const main = join(copy, "packages", "simulation", "src", "main.ts");
    const args = [main, "--schedules", String(WITHIN), "--workers", String(workers), "--bail", "--json"];
    const child = spawn(process.execPath, args, { cwd: copy, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let complaints = "";
    child.stdout.on("data", (data: Buffer) => {
      out += data.toString();
    });
    child.stderr.on("data", (data: Buffer) => {
      complaints = (complaints + data.toString()).slice(-2_000);
    });
    child.on("close", () => {
      try {
        const last = JSON.parse(out.trimEnd().split("\n").at(-1) ?? "");
        resolve({ violations: last.violations, schedules: last.schedules, rule: last.broken?.[0]?.rule });
      } catch (cause) {
        reject(new Error(`the simulator does not run with the mutant "${name}": ${complaints}`, { cause }));
      }
    });
  });
}
