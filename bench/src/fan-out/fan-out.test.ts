import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { bunCommand } from "../measured/bun-command.ts";
import { measureDelay } from "./delay.ts";
import { measureFanOut } from "./round.ts";
import { WORK } from "./work.ts";

let data: DataFolder;

function options(subscribers: number) {
  const folder = join(data.path, "data");
  mkdirSync(folder);
  return { folder, subscribers, warmUpMs: 50, measureMs: 150 };
}

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

describe("every subscriber gets every message of both paces", () => {
  it.each(["tandem", "socket.io", "ws"] as const)("%s", async (system) => {
    const { paced, burst, published } = await measureFanOut(system, options(8));
    expect(published).toBeGreaterThan(100);
    expect(paced.cpuMicrosPerMessage).toBeGreaterThan(0);
    expect(burst.messagesPerSecond).toBeGreaterThan(0);
  });

  it.runIf(bunCommand() !== undefined)("bun", async () => {
    expect((await measureFanOut("bun", options(8))).published).toBeGreaterThan(100);
  });
});

describe("what waiting for company adds", () => {
  it("is taken from pairs of subscribers, message by message", async () => {
    const { addedP99Ms, immediateP99Ms } = await measureDelay(options(2 * WORK.pairs));
    expect(addedP99Ms).not.toBeNaN();
    expect(immediateP99Ms).toBeGreaterThan(0);
  });
});
