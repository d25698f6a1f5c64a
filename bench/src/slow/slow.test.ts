import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { measureSlow } from "./round.ts";

let data: DataFolder;

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

describe("slow readers", () => {
  it("G13: switch to catching up, and are complete afterwards", async () => {
    const { deliveries, published, slowlyRead } = await measureSlow({
      folder: data.path,
      fast: 5,
      slow: 3,
      bytesPerSecond: 20_480,
      publishesPerSecond: 1_000,
      warmUpMs: 100,
      measureMs: 2_500,
    });
    expect(published).toBeGreaterThan(500);
    expect(slowlyRead).toBeLessThan(published / 2);
    for (const { switches } of deliveries) expect(switches).toBeGreaterThan(0);
  });
});
