import { afterEach, beforeEach, expect, it } from "vitest";
import { DataFolder } from "../data-folder.ts";
import { countCursors, cursorOf } from "./cursor.ts";
import { measureCrowd } from "./round.ts";

let data: DataFolder;

beforeEach(() => {
  data = new DataFolder();
});
afterEach(() => data.remove());

it("counts the cursors in a piece of JSON, and no others", () => {
  const bytes = Buffer.from(JSON.stringify([cursorOf(1, 1, 5), cursorOf(2, 1, 6), cursorOf(3, 1, 7)]));
  expect(countCursors(bytes, 0, bytes.length)).toBe(3);
  expect(countCursors(bytes, 10, bytes.length - 10)).toBe(2);
});

it("every member is seen on every screen", async () => {
  const work = { members: 12, full: 4, movesPerSecond: 20, warmUpMs: 300, measureMs: 500 };
  const found = await measureCrowd({ folder: data.path, ...work });
  expect(found.deliveredPerMoverPerSecond).toBeGreaterThan(0);
  expect(found.movedPerSecond).toBeGreaterThan(0);
  expect(found.moveP95Ms).toBeGreaterThan(0);
});
