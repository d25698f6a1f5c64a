import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const PROCESSORS: Record<string, string> = { x64: "x64", arm64: "aarch64" };

/** The program that the npm package `bun` brought for this machine, if any. */
export function bunCommand(): string | undefined {
  // Its files are named by the package's own optional dependencies; its install script is not needed.
  const beside = createRequire(import.meta.resolve("bun/package.json"));
  const name = `@oven/bun-${process.platform}-${PROCESSORS[process.arch]}`;
  try {
    const command = join(dirname(beside.resolve(`${name}/package.json`)), "bin", "bun");
    return existsSync(command) ? command : undefined;
  } catch {
    return undefined;
  }
}
