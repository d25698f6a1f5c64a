/**
 * Runs Tandem with its showcase, with no set-up: builds the page when it is missing or older than its sources, then serves it.
 *
 *     npm start
 *
 * Every setting of docs/configuration.md works here too, such as TANDEM_PORT.
 */
import { spawnSync } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const showcase = join(root, "apps/showcase");
const page = join(showcase, "dist/index.html");

/** What goes into the page: its own sources, and the packages that it is built with. */
const sources = [
  "apps/showcase/{src,public}/**",
  "apps/showcase/*.{html,ts,json}",
  "packages/{app,client,model,protocol,runtime}/{src/**,package.json}",
];

function isUpToDate(): boolean {
  if (!existsSync(page)) return false;
  const built = statSync(page).mtimeMs;
  return globSync(sources, { cwd: root }).every((file) => statSync(join(root, file)).mtimeMs <= built);
}

if (!isUpToDate()) {
  console.log("Building the page …");
  const vite = join(root, "node_modules/vite/bin/vite.js");
  const build = spawnSync(process.execPath, [vite, "build", "--logLevel", "warn"], { cwd: showcase, stdio: "inherit" });
  if (build.status !== 0) process.exit(build.status ?? 1);
}

// npm runs this through a shell, which does not hand a signal on: with the shell gone, nobody could stop the server any more.
const parent = process.ppid;
const look = setInterval(() => {
  if (process.ppid === parent) return;
  clearInterval(look);
  process.kill(process.pid, "SIGTERM");
}, 500).unref();

const { run } = await import("../apps/server/src/program.ts");
process.exitCode = await run(["serve"], {
  TANDEM_CONFIG: join(showcase, "tandem.config.ts"),
  TANDEM_STATIC: join(showcase, "dist"),
  TANDEM_DATA: join(root, "data"),
  ...process.env,
});
