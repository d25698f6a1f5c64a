import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { percentile } from "./percentile.ts";

const SYNCS = 1_000;
const BYTES = 8_192;

/** What the disk takes to sync 8 KB, alone, a thousand times: no commit can be faster. */
export async function syncTimes(folder: string): Promise<{ readonly p50Ms: number; readonly p99Ms: number }> {
  const file = openSync(join(folder, "sync"), "w");
  const bytes = Buffer.alloc(BYTES, 1);
  const times: number[] = [];
  try {
    for (let at = 0; at < SYNCS; at++) {
      const start = performance.now();
      writeSync(file, bytes);
      fdatasyncSync(file);
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  } finally {
    closeSync(file);
  }
  return { p50Ms: percentile(times, 0.5), p99Ms: percentile(times, 0.99) };
}
