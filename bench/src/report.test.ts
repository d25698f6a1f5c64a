import { describe, expect, it } from "vitest";
import { judge, ratiosOf, reportOf, tableOf } from "./report.ts";

const systems = {
  tandem: { publishesPerSecond: 30_000, batchMean: 120 },
  sqlite: { publishesPerSecond: 100_000 },
  redis: { publishesPerSecond: 20_000 },
};

describe("ratiosOf", () => {
  it("divides Tandem's figure by each peer's", () => {
    expect(ratiosOf(systems)).toEqual({ "publishesPerSecond/sqlite": 0.3, "publishesPerSecond/redis": 1.5 });
  });

  it("has none where a peer has no such figure, or Tandem did not run", () => {
    expect(ratiosOf({ tandem: { a: 1 }, ws: { b: 2 } })).toEqual({});
    expect(ratiosOf({ client: { gzipBytes: 1 } })).toEqual({});
  });
});

describe("reportOf", () => {
  it("is the object that --json prints", () => {
    const report = reportOf("durable", { systems, goals: [], notes: ["a note"] });
    expect(Object.keys(report)).toEqual(["scenario", "systems", "ratios"]);
  });
});

describe("judge", () => {
  it("tells a goal that was reached from one that was missed", () => {
    const goal = { system: "tandem", figure: "publishesPerSecond", peer: "sqlite" };
    expect(judge({ ...goal, least: 0.3 }, systems)?.reached).toBe(true);
    expect(judge({ ...goal, least: 0.31 }, systems)?.reached).toBe(false);
    expect(judge({ system: "client", figure: "gzipBytes", most: 12_288 }, { client: { gzipBytes: 12_289 } })).toEqual({
      sentence: "missed  client gzipBytes = 12,289 (goal: at most 12288)",
      reached: false,
    });
  });

  it("says nothing of a peer that did not run", () => {
    const { redis: _, ...without } = systems;
    expect(judge({ system: "tandem", figure: "publishesPerSecond", peer: "redis", least: 1 }, without)).toBeUndefined();
  });
});

describe("tableOf", () => {
  it("shows every system, ratio, goal and note, and leaves gaps where a system has no such figure", () => {
    const goal = { system: "tandem", figure: "publishesPerSecond", peer: "redis", least: 1 };
    const table = tableOf({ systems, goals: [goal], notes: ["Measured here."] });
    expect(table).toMatch(/sqlite +100,000 +–/);
    expect(table).toContain("reached  publishesPerSecond/redis = 1.5 (goal: at least 1)");
    expect(table).toContain("Measured here.");
  });
});
