import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { bytesPerConnection } from "./round.ts";

let data: DataFolder;

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

describe("every connection stands when memory is measured", () => {
  it.each(["tandem", "socket.io", "ws"] as const)("%s", async (system) => {
    // So few say nothing about bytes: that all of them were there is what is looked at.
    const options = { folder: data.path, connections: 100, channels: 3, lookMs: 50 };
    expect(await bytesPerConnection(system, options)).not.toBeNaN();
  });
});
