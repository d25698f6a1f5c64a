import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { play } from "../testing/play.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import { counter } from "./counter.ts";

const model = counter({ start: 2, least: 0, most: 5 });

describe("counter", () => {
  it("stays within its bounds, whatever is sent", () => {
    const commands: fc.Arbitrary<Sent<typeof model>> = fc.oneof(
      fc.record({ command: fc.constant("add" as const), input: fc.record({ by: fc.integer({ min: -4, max: 4 }) }) }),
      fc.record({
        command: fc.constant("reset" as const),
        input: fc.record(
          { to: fc.integer({ min: -1, max: 6 }), from: fc.integer({ min: 0, max: 5 }) },
          { requiredKeys: [] },
        ),
      }),
    );
    fc.assert(
      fc.property(plays(commands), (steps) => {
        const stage = new Rehearsal(model);
        for (const user of ["ann", "bea"]) stage.join(user);
        play(stage, steps);
        let value = 2;
        for (const { type, data } of stage.events) {
          value = type === "added" ? value + (data as { by: number }).by : (data as { to: number }).to;
          expect(value >= 0 && value <= 5).toBe(true);
        }
        expect(stage.state.value).toBe(value);
      }),
    );
  });

  it("is put back where it was, but not over what somebody else did", () => {
    const stage = new Rehearsal(model);
    const reset = stage.command("ann", "reset", { to: 5 });
    if (reset.status !== "accepted") throw new Error(reset.status);
    const { command, input } = reset.inverse ?? { command: "", input: undefined };
    stage.command("bea", "add", { by: -1 });
    expect(stage.decide(stage.call("ann", command, input))).toEqual({
      status: "rejected",
      reason: {
        code: "conflict",
        path: ["value"],
        mine: 2,
        theirs: 4,
        by: "bea",
        at: stage.time,
        restore: { command: "reset", input: { to: 2, from: 4 } },
      },
    });
    stage.command("bea", "add", {});
    expect(stage.decide(stage.call("ann", command, input))).toMatchObject({ status: "accepted" });
    expect(stage.state.value).toBe(2);
  });

  it("refuses bounds that cannot be", () => {
    expect(() => counter({ start: 1, least: 2 })).toThrow(RangeError);
    expect(() => counter({ most: Number.POSITIVE_INFINITY })).toThrow(RangeError);
  });
});
