/**
 * Everything that must hold before a change lands, step by step; one line a step. The first failure ends it with exit
 * code 1, after what the step printed.
 *
 *     npm run check                     all steps
 *     npm run check -- types lint       these only
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const bin = (name: string): string => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

/** Each step's name and command. `node` stands for the Node.js that runs this file. */
const steps: Record<string, string[]> = {
  types: [bin("tsc"), "--noEmit"],
  lint: [bin("biome"), "check", "--error-on-warnings"],
  imports: ["node", "scripts/imports.ts"],
  lock: ["node", "scripts/lock.ts", "--check"],
  unused: [bin("knip")],
  build: ["node", "scripts/build.ts"],
  tests: ["node", "scripts/test.ts"],
  simulation: ["node", "packages/simulation/src/main.ts", "--schedules", "200"],
};

const wanted = process.argv.slice(2);
const unknown = wanted.filter((name) => !(name in steps));
if (unknown.length > 0) {
  console.error(`No step is named ${unknown.join(", ")}. The steps are ${Object.keys(steps).join(", ")}.`);
  process.exit(1);
}

const root = fileURLToPath(new URL("..", import.meta.url));
for (const [name, [command = "", ...args]] of Object.entries(steps)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const start = performance.now();
  const run = spawnSync(command === "node" ? process.execPath : command, args, {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 2 ** 28,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  if (run.status !== 0) {
    process.stderr.write(`${run.stdout ?? ""}${run.stderr ?? ""}`);
    console.error(`${name.padEnd(10)} failed after ${seconds} s${run.error ? `: ${run.error.message}` : ""}`);
    process.exit(1);
  }
  console.log(`${name.padEnd(10)} ok, ${seconds} s`);
}
