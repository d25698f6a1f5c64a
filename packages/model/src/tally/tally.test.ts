import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { play } from "../testing/play.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import { tally } from "./tally.ts";

type Model = ReturnType<typeof tally>;

const commands: fc.Arbitrary<Sent<Model>> = fc.record({
  command: fc.constantFrom("add", "remove"),
  input: fc.record({ option: fc.constantFrom("tea", "coffee", "milk", "__proto__") }),
});

describe("tally", () => {
  it("counts each addition and each removal, and never below nothing", () => {
    fc.assert(
      fc.property(plays(commands), (steps) => {
        const stage = new Rehearsal(tally({ most: 3 }));
        for (const user of ["ann", "bea"]) stage.join(user);
        play(stage, steps);
        const counts = new Map<string, number>();
        for (const { type, data } of stage.events) {
          const { option } = data as { option: string };
          counts.set(option, (counts.get(option) ?? 0) + (type === "added" ? 1 : -1));
          expect(counts.get(option)).toBeGreaterThanOrEqual(0);
        }
        expect(new Map(stage.state.counts)).toEqual(new Map([...counts].filter(([, count]) => count > 0)));
        expect(stage.state.counts.size).toBeLessThanOrEqual(3);
      }),
    );
  });

  it("counts each user once where it is told to, for the option that the user chose last", () => {
    fc.assert(
      fc.property(plays(commands), (steps) => {
        const stage = new Rehearsal(tally({ once: true, most: 3, users: 2 }));
        for (const user of ["ann", "bea", "cai"]) stage.join(user);
        play(stage, steps);
        const counts = new Map<string, number>();
        for (const option of stage.state.choices.values()) counts.set(option, (counts.get(option) ?? 0) + 1);
        expect(new Map(stage.state.counts)).toEqual(counts);
        expect(stage.state.choices.size).toBeLessThanOrEqual(2);
      }),
    );
  });

  it("knows its options, and who may count", () => {
    const stage = new Rehearsal(tally({ options: ["tea"], once: true }));
    expect(stage.command("ann", "add", { option: "rum" })).toMatchObject({ reason: { code: "unknown-option" } });
    expect(stage.command(undefined, "add", { option: "tea" })).toMatchObject({ reason: { code: "nobody" } });
    expect(stage.command("ann", "remove", { option: "tea" })).toMatchObject({ reason: { code: "none" } });
  });

  it("takes back what it counted", () => {
    const stage = new Rehearsal(tally({ once: true }));
    stage.command("ann", "add", { option: "tea" });
    const moved = stage.command("ann", "add", { option: "milk" });
    expect(moved).toMatchObject({ inverse: { command: "add", input: { option: "tea" } } });
    const gone = stage.command("ann", "remove", { option: "milk" });
    expect(gone).toMatchObject({ inverse: { command: "add", input: { option: "milk" } } });
    expect(stage.state.counts.size).toBe(0);
  });
});

it("takes every option that was named, however many there are", () => {
  const options = Array.from({ length: 150 }, (_, at) => `option-${at}`);
  const stage = new Rehearsal(tally({ options }));
  for (const option of options) stage.command("ann", "add", { option });
  expect(stage.state.counts.size).toBe(150);
});
