/**
 * Runs every test: finds or installs the programs that some of them drive, then starts Vitest.
 *
 *     npm test                      every test
 *     npm test -- packages/client   what Vitest takes; then nothing is installed
 *
 * In CI (`CI=true`) a missing program is a failure, and the counts go to `artefacts/tests.json`.
 */
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findTools } from "./tools.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const args = process.argv.slice(2);
const ci = process.env.CI === "true";

const { env, missing } = findTools({ install: args.length === 0 });
for (const sentence of missing) console.warn(sentence);
if (ci && missing.length > 0) {
  console.error("In CI nothing is skipped: install what is missing.");
  process.exit(1);
}

// The same place as in vitest.config.ts.
const cache = { NODE_COMPILE_CACHE: join(tmpdir(), "tandem-compile-cache") };
const warm = fileURLToPath(new URL("warm-cache.ts", import.meta.url));
spawnSync(process.execPath, [warm], { cwd: root, stdio: "inherit", env: { ...process.env, ...cache } });

const reporters = ci ? ["--reporter=default", "--reporter=json", "--outputFile.json=artefacts/tests.json"] : [];
const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const run = spawnSync(process.execPath, [vitest, "run", ...reporters, ...args], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, ...env },
});
if (run.error !== undefined) throw run.error;
process.exitCode = run.status ?? 1;
