import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import type { Scenario } from "../scenario.ts";

/** What a page loads that does nothing but `createClient` with the JSON codec. */
const CLIENT = fileURLToPath(new URL("./client.ts", import.meta.url));

const GZIP_LEVEL = 9;

/** Bytes of an entry as a browser gets it: one ES module with all it imports, minified, gzipped. */
async function gzipBytes(entry: string): Promise<{ readonly gzip: number; readonly plain: number }> {
  const bundle = await rolldown({ input: entry, platform: "browser", treeshake: true });
  try {
    const { output } = await bundle.generate({ format: "es", minify: true });
    if (output.length !== 1) throw new Error(`${entry} was bundled into ${output.length} files instead of one.`);
    const [{ code }] = output;
    return { gzip: gzipSync(code, { level: GZIP_LEVEL }).byteLength, plain: Buffer.byteLength(code) };
  } finally {
    await bundle.close();
  }
}

export const size: Scenario = {
  summary: "bytes of the client in a page: minified ES module, gzip",
  async run() {
    const client = await gzipBytes(CLIENT);
    return {
      systems: { client: { gzipBytes: client.gzip } },
      goals: [{ system: "client", figure: "gzipBytes", most: 12_288 }],
      notes: [
        `Bundled by rolldown; ${client.plain.toLocaleString("en")} bytes minified, before gzip level ${GZIP_LEVEL}.`,
      ],
    };
  },
};
