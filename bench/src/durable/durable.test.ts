import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { measureRedis } from "./redis-peer.ts";
import { measureSqlite } from "./sqlite.ts";
import { measureTandem } from "./tandem.ts";
import { WORK } from "./work.ts";

const LOAD = { inFlight: 4, warmUpMs: 50, measureMs: 200 };

let data: DataFolder;

function folder(name: string): string {
  const path = join(data.path, name);
  mkdirSync(path);
  return path;
}

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

describe("each system stores what it acknowledged", () => {
  it("tandem", async () => {
    const result = await measureTandem(folder("tandem"), WORK.publishers, LOAD);
    expect(result.published).toBeGreaterThanOrEqual(WORK.publishers * LOAD.inFlight);
    expect(result.batchMean).toBeGreaterThanOrEqual(1);
    expect(result.batchMean).toBeLessThanOrEqual(WORK.publishers * LOAD.inFlight);
  });

  it("sqlite", async () => {
    expect(await measureSqlite(folder("sqlite"), WORK.publishers, LOAD)).toBeGreaterThan(0);
  });

  const redis = process.env.TANDEM_TEST_REDIS;
  it.runIf(redis !== undefined)("redis", async () => {
    const result = await measureRedis(redis ?? "", folder("redis"), 2, LOAD);
    expect(result.published).toBeGreaterThanOrEqual(WORK.publishers * LOAD.inFlight);
  });
});
