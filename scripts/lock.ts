/**
 * Completes `package-lock.json` with the platform packages that npm left out.
 *
 * Tools with native code name one optional package per platform. A registry mirror that holds only some of them makes
 * `npm install` leave the rest out of the lock file, and `npm ci` then refuses that file ("Missing: … from lock file").
 * This adds the missing entries: name, version and platform, so that npm installs each only where it belongs.
 *
 *     node scripts/lock.ts          completes the lock file; run it after every `npm install`
 *     node scripts/lock.ts --check  changes nothing; exit code 1 if an entry is missing
 */
import { readFileSync, writeFileSync } from "node:fs";

/** The parts of a lock file's entry that matter here. */
export interface LockEntry {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
  [field: string]: unknown;
}

const systems = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const processors = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];
const libraries: Record<string, string> = { gnu: "glibc", gnueabihf: "glibc", musl: "musl", musleabihf: "musl" };

/** The platform that a package's name states, such as `@scope/binding-linux-arm64-musl`; undefined if it states none. */
function platformOf(name: string): Pick<LockEntry, "os" | "cpu" | "libc"> | undefined {
  if (name === "fsevents") return { os: ["darwin"] };
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const os = systems.find((system) => words.includes(system));
  const cpu = processors.find((processor) => words.includes(processor));
  if (os === undefined && cpu !== "wasm32") return undefined;
  const library = Object.keys(libraries).find((word) => words.includes(word));
  return {
    ...(cpu !== undefined && { cpu: [cpu] }),
    ...(os === "linux" && library !== undefined && { libc: [libraries[library] ?? library] }),
    ...(os !== undefined && { os: [os] }),
  };
}

/** The entries that `packages` (of a lock file) lacks, by their path. Throws if a package's platform cannot be told. */
export function missingEntries(packages: Record<string, LockEntry>): Record<string, LockEntry> {
  const missing: Record<string, LockEntry> = {};
  for (const [path, entry] of Object.entries(packages)) {
    for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
      const isMet = (place: string): boolean => {
        const found = packages[place] ?? missing[place];
        return found !== undefined && (/^[~^>*]/.test(range) || found.version === range);
      };
      if (placesFor(path, name).some(isMet)) continue;
      const platform = platformOf(name);
      if (platform === undefined) {
        throw new Error(`package-lock.json lacks ${name} and its name tells no platform: add its entry by hand.`);
      }
      const beside = placesFor(path, name)[1] ?? `node_modules/${name}`;
      const version = range.replace(/^[~^]/, "");
      // In npm's own order of fields, so that a later `npm install` leaves the entry as it is.
      missing[beside] = {
        version,
        ...(platform.cpu && { cpu: platform.cpu }),
        ...(entry.dev === true && { dev: true }),
        ...(platform.libc && { libc: platform.libc }),
        optional: true,
        ...(platform.os && { os: platform.os }),
      };
    }
  }
  return missing;
}

/** Where `name` may lie so that the package at `path` finds it, nearest first. The second place is beside the package. */
function placesFor(path: string, name: string): string[] {
  const places = [`${path}/node_modules/${name}`];
  let folder = path;
  while (folder.includes("node_modules/")) {
    folder = folder.slice(0, folder.lastIndexOf("node_modules/"));
    places.push(`${folder}node_modules/${name}`);
  }
  if (folder !== "") places.push(`node_modules/${name}`);
  return places;
}

function main(): void {
  const file = new URL("../package-lock.json", import.meta.url);
  const lock = JSON.parse(readFileSync(file, "utf8")) as { packages: Record<string, LockEntry> };
  const missing = missingEntries(lock.packages);
  const count = Object.keys(missing).length;
  if (process.argv.includes("--check")) {
    if (count === 0) return;
    console.error(`package-lock.json lacks ${count} platform packages, so npm ci would refuse it: run npm run lock.`);
    process.exitCode = 1;
    return;
  }
  const all = Object.entries({ ...lock.packages, ...missing });
  all.sort(([a], [b]) => (a < b ? -1 : 1));
  if (count > 0) {
    writeFileSync(file, `${JSON.stringify({ ...lock, packages: Object.fromEntries(all) }, null, 2)}\n`);
  }
  console.log(`package-lock.json: ${count} platform packages added`);
}

if (import.meta.main) main();
