/**
 * The programs from Debian's packages that some tests drive: finds them, and installs what is missing when it may.
 */
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** A program that tests need. */
interface Tool {
  /** Debian's package. */
  package: string;
  /** Names that the program goes by, best first. */
  commands: string[];
  /** The environment variable that tells tests its path; one that is set already is believed. */
  variable: string;
  /** What is skipped without it. */
  tests: string;
}

const tools: Tool[] = [
  {
    package: "chromium",
    commands: ["chromium", "chromium-browser", "google-chrome"],
    variable: "TANDEM_TEST_CHROMIUM",
    tests: "the tests in a browser",
  },
  {
    package: "redis-server",
    commands: ["redis-server", "valkey-server"],
    variable: "TANDEM_TEST_REDIS",
    tests: "the tests with Redis",
  },
  {
    package: "strace",
    commands: ["strace"],
    variable: "TANDEM_TEST_STRACE",
    tests: "the tests that watch system calls",
  },
];

/** The path of the first of `commands` that is on the PATH. */
function find(commands: string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return commands.flatMap((command) => folders.map((folder) => join(folder, command))).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function run(command: string, args: string[]): boolean {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  return spawnSync(command, args, { stdio: ["ignore", "ignore", "inherit"], env }).status === 0;
}

/**
 * Looks for every tool; with `install`, fetches what is missing with apt-get when this process is root and apt-get is
 * there. Returns the environment variables for the tests, and one sentence per tool that is still missing.
 */
export function findTools(options: { install: boolean }): { env: Record<string, string>; missing: string[] } {
  const locate = (tool: Tool): string | undefined => process.env[tool.variable] || find(tool.commands);
  const wanted = tools.filter((tool) => locate(tool) === undefined).map((tool) => tool.package);
  const mayInstall = process.getuid?.() === 0 && find(["apt-get"]) !== undefined;
  if (options.install && wanted.length > 0 && mayInstall) {
    console.log(`Installing ${wanted.join(", ")} …`);
    const install = ["install", "--yes", "--quiet", "--no-install-recommends", ...wanted];
    // The package lists of a fresh machine are empty or old: update them only when the first try fails.
    if (!run("apt-get", install)) {
      run("apt-get", ["update", "--quiet"]);
      run("apt-get", install);
    }
  }
  const env: Record<string, string> = {};
  const missing: string[] = [];
  for (const tool of tools) {
    const path = locate(tool);
    if (path !== undefined) env[tool.variable] = path;
    else
      missing.push(
        `${tool.package} is missing, so ${tool.tests} are skipped (Debian: apt-get install ${tool.package})`,
      );
  }
  return { env, missing };
}
