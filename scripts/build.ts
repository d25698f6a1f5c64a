/**
 * Builds every workspace that is published into its `dist/`, whose `package.json` names the built files:
 *
 *     npm run build
 *     npm publish packages/client/dist
 *
 * Each source file becomes one file of JavaScript and one of types. Then publint looks at each `dist/` as npm packs it.
 */
import { copyFileSync, existsSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { build } from "tsdown";

interface Manifest {
  name: string;
  version: string;
  private?: boolean;
  exports?: Record<string, string>;
  bin?: Record<string, string>;
  dependencies?: Record<string, string>;
  [field: string]: unknown;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** A path in a worker's `new URL("./worker.ts", import.meta.url)`. */
const urlOfSource = /new URL\(\s*(["'])(\.{1,2}\/[^"']+)\.ts\1,\s*import\.meta\.url\s*\)/g;

/** `./src/a/b.ts` → `a/b`, an entry's name and its place in `dist`. */
function entryName(source: string): string {
  return source.replace(/^(\.\/)?src\//, "").replace(/\.tsx?$/, "");
}

/** The `package.json` for `dist`: exports and commands name the built files, our own packages get their version. */
export function publishedManifest(manifest: Manifest, versions: ReadonlyMap<string, string>): Manifest {
  const { devDependencies: _, scripts: __, exports = {}, bin, dependencies = {}, ...rest } = manifest;
  const built = Object.entries(exports).map(([path, source]) => {
    const name = entryName(source);
    return [path, { types: `./${name}.d.ts`, default: `./${name}.js` }];
  });
  const commands = Object.entries(bin ?? {}).map(([name, source]) => [name, `./${entryName(source)}.js`]);
  return {
    ...rest,
    ...(built.length > 0 && { exports: { ...Object.fromEntries(built), "./package.json": "./package.json" } }),
    ...(commands.length > 0 && { bin: Object.fromEntries(commands) }),
    dependencies: Object.fromEntries(
      Object.entries(dependencies).map(([name, range]) => [name, versions.get(name) ?? range]),
    ),
  };
}

/** Source files that run as workers: nobody imports them, a URL names them. */
function workersOf(folder: string): string[] {
  return globSync("src/**/*.ts", { cwd: folder }).flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    return [...text.matchAll(urlOfSource)].map((match) => join(file, "..", `${match[2]}.ts`));
  });
}

async function buildPackage(folder: string, manifest: Manifest, versions: ReadonlyMap<string, string>): Promise<void> {
  const published = [...Object.values(manifest.exports ?? {}), ...Object.values(manifest.bin ?? {})];
  const sources = new Set([...published, ...workersOf(folder)].map((source) => join(source)));
  await build({
    config: false,
    cwd: folder,
    entry: Object.fromEntries([...sources].map((source) => [entryName(source), source])),
    tsconfig: join(root, "tsconfig.json"),
    root: join(folder, "src"),
    unbundle: true,
    format: "esm",
    fixedExtension: false,
    platform: "neutral",
    target: "es2024",
    dts: true,
    sourcemap: true,
    logLevel: "error",
    plugins: [
      {
        name: "urls-of-workers",
        transform: (code: string) => code.replace(urlOfSource, "new URL($1$2.js$1, import.meta.url)"),
      },
    ],
  });
  const dist = join(folder, "dist");
  writeFileSync(join(dist, "package.json"), `${JSON.stringify(publishedManifest(manifest, versions), null, 2)}\n`);
  copyFileSync(join(root, "LICENSE"), join(dist, "LICENSE"));
  if (existsSync(join(folder, "README.md"))) copyFileSync(join(folder, "README.md"), join(dist, "README.md"));
}

/** What publint has against the package in `dist`, one sentence each. */
async function complaints(dist: string): Promise<string[]> {
  const { messages, pkg } = await publint({ pkgDir: dist, strict: true, pack: "npm" });
  return messages.flatMap((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
}

async function main(): Promise<void> {
  const workspaces = globSync("{packages,apps}/*/package.json", { cwd: root })
    .map((file) => ({ folder: join(root, file, ".."), manifest: readManifest(join(root, file)) }))
    .filter(({ manifest }) => manifest.private !== true);
  const versions = new Map(workspaces.map(({ manifest }) => [manifest.name, manifest.version]));
  for (const { folder, manifest } of workspaces) {
    await buildPackage(folder, manifest, versions);
    const sentences = await complaints(join(folder, "dist"));
    for (const sentence of sentences) console.error(`${manifest.name}: ${sentence}`);
    if (sentences.length > 0) process.exitCode = 1;
    else console.log(`${manifest.name} built`);
  }
}

function readManifest(file: string): Manifest {
  return JSON.parse(readFileSync(file, "utf8")) as Manifest;
}

if (import.meta.main) await main();
