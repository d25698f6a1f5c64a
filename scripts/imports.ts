/**
 * Checks who imports whom: between packages, down the stages of the server, and that run-time imports have no circle.
 * The rules stand in `violationsOf`; each says what to do instead. Tests, fixtures and contract suites are exempt.
 *
 *     node scripts/imports.ts   prints each violation as `file:line imports X: what to do`; exit code 1 if there is one
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { parseSync, Visitor } from "oxc-parser";

/** An import that should not be. */
export interface Violation {
  file: string;
  line: number;
  /** What is imported, as the source names it. */
  target: string;
  /** What to do instead. */
  advice: string;
}

interface Import {
  file: string;
  line: number;
  target: string;
  /** The imported file's path from the root when the import is relative, else undefined. */
  path: string | undefined;
  /** Erased before the code runs, as `import type` is. `import { type X }` is not: it still loads the file. */
  typeOnly: boolean;
}

/** What each workspace may import of ours; `types` are allowed in `import type` only. */
const packages: Record<string, { values: string[]; types?: string[] }> = {
  "packages/protocol": { values: [] },
  "packages/runtime": { values: [] },
  "packages/model": { values: [], types: ["runtime"] },
  "packages/app": { values: ["protocol"], types: ["model"] },
  "packages/client": { values: ["protocol", "runtime", "model"], types: ["app"] },
  "packages/server": { values: ["protocol", "runtime", "app", "model"] },
  "packages/simulation": { values: ["protocol", "runtime", "app", "model", "client", "server"] },
  "packages/fuzz": { values: ["protocol", "runtime", "app", "model", "client", "server"] },
  "apps/server": { values: ["protocol", "runtime", "app", "model", "client", "server"] },
  "apps/showcase": { values: ["protocol", "runtime", "app", "model", "client"], types: ["server"] },
  bench: { values: ["protocol", "runtime", "app", "model", "client", "server", "simulation"] },
};

/** The stages of `packages/server/src`, highest first; those of one row are siblings and do not import each other. */
const stages: string[][] = [
  ["transport"],
  ["operations"],
  ["connection", "application"],
  ["presence", "following", "model"],
  ["channel"],
  ["bus"],
  ["log", "access"],
  ["delivery"],
];
const flow = `server → ${stages.map((row) => row.join(" | ")).join(" → ")}`;

/** The server's adapters. Each may import others of its own folder. */
const adapters = [
  /^packages\/server\/src\/transport\//,
  /^packages\/server\/src\/log\/sqlite\//,
  /^packages\/server\/src\/access\/jw(t|ks)[^/]*$/,
  /^packages\/server\/src\/model\/aes-vault[^/]*$/,
];

/** Who may name an adapter: the file that builds them, the package's list of exports, and operations listed by name. */
const builders = ["packages/server/src/server.ts", "packages/server/src/index.ts"];

/** All violations among `sources`, a map from a file's path (from the root, with `/`) to its text. */
export function violationsOf(sources: ReadonlyMap<string, string>): Violation[] {
  const imports = [...sources].filter(([file]) => !isTest(file)).flatMap(([file, text]) => importsOf(file, text));
  const found = imports.flatMap((item) => {
    const advice = adviceOnPackage(item) ?? adviceOnFile(item);
    return advice === undefined ? [] : [{ file: item.file, line: item.line, target: item.target, advice }];
  });
  return [...found, ...circles(imports)];
}

function isTest(file: string): boolean {
  return /\.(test|test-d|contract|fixture)\.tsx?$/.test(file) || file.includes("/e2e/");
}

/** The workspace that a file belongs to, such as `packages/server`. */
function workspaceOf(file: string): string | undefined {
  return Object.keys(packages).find((workspace) => file.startsWith(`${workspace}/`));
}

/** Rules on imports by package name. */
function adviceOnPackage({ file, target, typeOnly }: Import): string | undefined {
  const name = /^@tandem\/([^/]+)/.exec(target)?.[1];
  const workspace = workspaceOf(file);
  if (name === undefined || workspace === undefined) return undefined;
  if (workspace === `packages/${name}`)
    return "import the file itself (`./x.ts`): nobody in a package imports its index";
  const { values, types = [] } = packages[workspace] ?? { values: [] };
  if (values.includes(name) || (types.includes(name) && typeOnly)) return undefined;
  if (types.includes(name)) return `use \`import type\`: ${workspace} may know ${name}'s types, not load its code`;
  if (name === "simulation" || name === "fuzz" || name === "bench") {
    return "move what you need into a package of production code, which never imports the simulation, the fuzzer or benchmarks";
  }
  const may = [...values, ...types.map((type) => `${type} (types only)`)].join(", ") || "nothing of ours";
  return `move the shared part down, or pass it in as an argument: ${workspace} imports only ${may}`;
}

/** Rules on imports by relative path. */
function adviceOnFile({ file, path }: Import): string | undefined {
  const workspace = workspaceOf(file);
  if (path === undefined || workspace === undefined) return undefined;
  if (!path.startsWith(`${workspace}/`)) return "import the package by its name (`@tandem/…`), not across its folder";
  if (path === `${workspace}/src/index.ts`) return "import the file itself: nobody in a package imports its index";
  const adapter = adapters.find((pattern) => pattern.test(path));
  if (adapter !== undefined && !adapter.test(file) && !builders.includes(file)) {
    return `import the port instead and take the adapter as an argument; only ${builders.join(", ")} name adapters`;
  }
  return workspace === "packages/server" ? adviceOnStages(file, path) : undefined;
}

/** Inside the server, imports go downhill along the flow. */
function adviceOnStages(file: string, path: string): string | undefined {
  const [from, to] = [stageOf(file), stageOf(path)];
  if (from.rank === undefined || to.rank === undefined) {
    const folder = from.rank === undefined ? from.name : to.name;
    return `give the folder ${folder} its place in the table of stages in scripts/imports.ts: ${flow}`;
  }
  if (from.name === to.name || from.rank < to.rank) return undefined;
  if (from.rank === to.rank)
    return `pass it in from a higher stage: ${from.name} and ${to.name} do not know each other`;
  return `declare a small port in ${from.name} and let ${to.name} implement it; imports go downhill: ${flow}`;
}

/** A file's stage; files directly in `src` are the top. The rank is undefined for a folder that the table lacks. */
function stageOf(file: string): { name: string; rank: number | undefined } {
  const inside = file.slice("packages/server/src/".length);
  if (!inside.includes("/")) return { name: "server", rank: -1 };
  const name = inside.slice(0, inside.indexOf("/"));
  const rank = stages.findIndex((row) => row.includes(name));
  return { name, rank: rank === -1 ? undefined : rank };
}

/** One violation per circle of run-time imports: the first import found that closes it, with the way round. */
function circles(imports: Import[]): Violation[] {
  const next = Map.groupBy(
    imports.filter((item) => item.path !== undefined && !item.typeOnly),
    (item) => item.file,
  );
  const found: Violation[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (file: string): void => {
    trail.push(file);
    for (const { path, line, target } of next.get(file) ?? []) {
      if (path === undefined || done.has(path)) continue;
      const start = trail.indexOf(path);
      if (start === -1) {
        visit(path);
        continue;
      }
      const round = [...trail.slice(start), path].map((name) => posix.basename(name)).join(" → ");
      found.push({
        file,
        line,
        target,
        advice: `break the circle ${round}: move what both need into a file of its own`,
      });
    }
    trail.pop();
    done.add(file);
  };
  for (const file of next.keys()) if (!done.has(file)) visit(file);
  return found;
}

/** Every import and re-export of one file, also `import()` of a literal, as value and as type. */
function importsOf(file: string, text: string): Import[] {
  const { program, errors } = parseSync(file, text);
  const [error] = errors;
  if (error !== undefined) throw new Error(`${file} cannot be parsed: ${error.message}`);
  const found: Import[] = [];
  const add = (source: { value: unknown; start: number } | null, typeOnly: boolean): void => {
    if (typeof source?.value !== "string") return;
    const target = source.value;
    const path = target.startsWith(".") ? posix.join(dirname(file), target) : undefined;
    found.push({ file, line: text.slice(0, source.start).split("\n").length, target, path, typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source, node.importKind === "type"),
    ExportNamedDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ExportAllDeclaration: (node) => add(node.source, node.exportKind === "type"),
    ImportExpression: (node) => add(node.source.type === "Literal" ? node.source : null, false),
    TSImportType: (node) => add(node.source, true),
  }).visit(program);
  return found;
}

function main(): void {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const folders = Object.keys(packages).map((workspace) => `${workspace}/{src,e2e}/**/*.{ts,tsx}`);
  const files = globSync(folders, { cwd: root }).map((file) => file.replaceAll("\\", "/"));
  const sources = new Map(files.sort().map((file) => [file, readFileSync(`${root}/${file}`, "utf8")]));
  const violations = violationsOf(sources);
  for (const { file, line, target, advice } of violations)
    console.error(`${file}:${line} imports ${target}: ${advice}.`);
  if (violations.length > 0) process.exitCode = 1;
  else console.log(`Import rules hold in ${sources.size} files.`);
}

if (import.meta.main) main();
