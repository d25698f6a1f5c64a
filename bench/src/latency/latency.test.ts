import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { measureLatency } from "./round.ts";

const OPTIONS = { channels: 5, members: 3, publishesPerSecond: 300, warmUpMs: 50, measureMs: 250 };

let data: DataFolder;

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

describe("every member gets every publish, and every publish is acknowledged", () => {
  it.each(["tandem", "socket.io"] as const)("%s", async (system) => {
    const { published, received, latency } = await measureLatency(system, { folder: data.path, ...OPTIONS });
    expect(published).toBeGreaterThan(20);
    expect(received).toBe(published * OPTIONS.members);
    for (const value of Object.values(latency)) expect(value).toBeGreaterThan(0);
  });
});
