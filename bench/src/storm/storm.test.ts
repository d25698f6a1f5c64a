import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { measureStorm } from "./round.ts";

const OPTIONS = {
  clients: 40,
  channels: 4,
  publishesPerSecond: 200,
  calmMs: 200,
  jitterMs: 1_000,
  lifeMs: 500,
  outageMs: 100,
};

let data: DataFolder;

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

describe("a storm", () => {
  it("G3: nobody of Tandem's misses anything, gets anything twice, or stays behind", async () => {
    const round = await measureStorm("tandem", { folder: data.path, ...OPTIONS });
    expect(round.missing).toBe(0);
    expect(round.duplicated).toBe(0);
    expect(round.disordered).toBe(0);
    expect(round.returns).toBeGreaterThan(OPTIONS.clients);
    expect(round.delivered).toBeGreaterThan(1_000);
  });

  it("goes over Socket.IO's clients likewise, and they come back", async () => {
    const round = await measureStorm("socket.io", { folder: data.path, args: ["recovery"], ...OPTIONS });
    expect(round.returns).toBeGreaterThan(OPTIONS.clients);
    expect(round.delivered).toBeGreaterThan(1_000);
  });
});
