import { describe, expect, it } from "vitest";
import { mutantNames } from "./mutants.ts";
import { pinned } from "./pinned.ts";
import { runSchedule } from "./schedule.ts";

describe("a schedule", () => {
  it("is the same when its seed is: down to every byte that was delivered", async () => {
    const first = await runSchedule(77);
    const second = await runSchedule(77);
    expect(second.hash).toBe(first.hash);
    expect(second.steps).toBe(first.steps);
    expect((await runSchedule(78)).hash).not.toBe(first.hash);
  });

  it("is the same with its trace as without", async () => {
    const traced = await runSchedule(79, { traceLines: 50 });
    expect(traced.trace.length).toBeGreaterThan(0);
    expect(traced.hash).toBe((await runSchedule(79)).hash);
  });

  it("breaks no guarantee, of twenty seeds", { timeout: 60_000 }, async () => {
    for (let seed = 101; seed <= 120; seed++) {
      const { violations } = await runSchedule(seed);
      expect(violations, `npm run simulate -- --seed ${seed}`).toEqual([]);
    }
  });

  it("breaks no guarantee, of the seeds that once did", { timeout: 60_000 }, async () => {
    for (const { seed, why } of pinned()) {
      const { violations } = await runSchedule(seed);
      expect(violations, `${why}: npm run simulate -- --seed ${seed}`).toEqual([]);
    }
  });
});

describe("the mutants", () => {
  it("are at least fourteen", () => {
    expect(mutantNames().length).toBeGreaterThanOrEqual(14);
    expect(mutantNames("expiry")).toEqual(["deliver-after-expiry"]);
  });
});
