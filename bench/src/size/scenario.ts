import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import type { Scenario } from "../scenario.ts";

/** What a page loads that does nothing but `createClient` with the JSON codec. */
const CLIENT = fileURLToPath(new URL("./client.ts", import.meta.url));

const GZIP_LEVEL = 9;

/** Bytes of code as a browser gets it: minified, gzipped. */
interface Weight {
  readonly gzip: number;
  readonly plain: number;
}

/**
 * Weighs an entry as a browser first gets it, one ES module with all it imports; and apart from it what is loaded later, by `import()`,
 * where it is needed: the road for those whose WebSocket is blocked.
 */
async function weigh(entry: string): Promise<{ readonly first: Weight; readonly later: Weight }> {
  // As bundlers of pages do, what both parts need stays with the first.
  const preserveEntrySignatures = "allow-extension";
  const bundle = await rolldown({ input: entry, platform: "browser", treeshake: true, preserveEntrySignatures });
  try {
    const { output } = await bundle.generate({ format: "es", minify: true });
    const chunks = output.filter((chunk) => chunk.type === "chunk");
    const first = new Set<string>();
    const load = (name: string): void => {
      if (first.has(name)) return;
      first.add(name);
      for (const imported of chunks.find(({ fileName }) => fileName === name)?.imports ?? []) load(imported);
    };
    for (const { isEntry, fileName } of chunks) if (isEntry) load(fileName);
    const weightOf = (part: typeof chunks): Weight => ({
      gzip: part.reduce((sum, { code }) => sum + gzipSync(code, { level: GZIP_LEVEL }).byteLength, 0),
      plain: part.reduce((sum, { code }) => sum + Buffer.byteLength(code), 0),
    });
    const [now, later] = [true, false].map((isFirst) =>
      weightOf(chunks.filter(({ fileName }) => first.has(fileName) === isFirst)),
    ) as [Weight, Weight];
    return { first: now, later };
  } finally {
    await bundle.close();
  }
}

export const size: Scenario = {
  summary: "bytes of the client in a page: minified ES module, gzip",
  async run() {
    const { first, later } = await weigh(CLIENT);
    const bytes = (count: number) => `${count.toLocaleString("en")} bytes`;
    return {
      systems: { client: { gzipBytes: first.gzip } },
      goals: [{ system: "client", figure: "gzipBytes", most: 12_288 }],
      notes: [
        `Bundled by rolldown; ${bytes(first.plain)} minified, before gzip level ${GZIP_LEVEL}.`,
        `Loaded only where a WebSocket is blocked: ${bytes(later.gzip)} more, ${bytes(later.plain)} minified.`,
      ],
    };
  },
};
