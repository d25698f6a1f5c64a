import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runSeeds } from "./runner.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const FOLDER = fileURLToPath(new URL("../mutants/", import.meta.url));

/** What became of one planted mutant. */
export interface Mutant {
  readonly name: string;
  readonly caught: boolean;
  /** Schedules that it took. */
  readonly schedules: number;
  readonly seconds: number;
  /** The rule that it broke first, and the seed by which. */
  readonly rule: string | undefined;
  readonly seed: number | undefined;
}

/** The names of the mutants: one patch each, that breaks one thing in the server or the client. */
export function mutantNames(only = ""): string[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith(".patch") && file.includes(only))
    .map((file) => file.slice(0, -".patch".length))
    .sort();
}

/** A copy of the packages, in which mutants are planted one after the other. */
export class Plot {
  readonly #folder = mkdtempSync(join(tmpdir(), "tandem-mutants-"));

  constructor() {
    copyPackages(this.#folder);
  }

  /**
   * Plants a mutant, runs schedules until one breaks something, and takes it out again.
   *
   * @throws Error when the patch does not apply (any more), or the simulator does not run with it
   */
  async plant(name: string, seeds: readonly number[]): Promise<Mutant> {
    this.#apply(name);
    try {
      const worker = join(this.#folder, "packages", "simulation", "src", "worker.ts");
      const plot = { worker, compiled: join(this.#folder, "compiled") };
      const { broken, schedules, seconds } = await runSeeds(seeds, { workers: 1, bail: true, plot });
      const [first] = broken;
      return {
        name,
        caught: first !== undefined,
        schedules,
        seconds,
        rule: first?.violations[0]?.rule,
        seed: first?.seed,
      };
    } catch (cause) {
      throw new Error(`the simulator does not run with the mutant "${name}"`, { cause });
    } finally {
      this.#apply(name, "--reverse");
    }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #apply(name: string, ...how: string[]): void {
    try {
      const patch = readFileSync(join(FOLDER, `${name}.patch`));
      const args = ["apply", "--recount", ...how, "-"];
      execFileSync("git", args, { cwd: this.#folder, input: patch, stdio: ["pipe", "pipe", "pipe"] });
    } catch (cause) {
      throw new Error(`the mutant "${name}" does not apply any more: make its patch anew`, { cause });
    }
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
