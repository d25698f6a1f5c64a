import { silentLogger } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { Clock } from "./clock.ts";
import { EPOCH_START, Process } from "./process.ts";
import { Random } from "./random.ts";

function setUp() {
  const errors: unknown[] = [];
  const clock = new Clock((error) => errors.push(error));
  const process = new Process("p", clock, new Random(1), silentLogger);
  return { clock, process, errors };
}

describe("the virtual clock", () => {
  it("runs entries in order of time, those of one moment in the order they were entered", async () => {
    const { clock } = setUp();
    const ran: string[] = [];
    for (const [ms, name] of [
      [5, "c"],
      [1, "a"],
      [5, "d"],
      [3, "b"],
    ] as const) {
      clock.after(ms, undefined, () => ran.push(`${name}@${clock.now}`));
    }
    await clock.runUntil(4);
    expect(ran).toEqual(["a@1", "b@3"]);
    expect(clock.now).toBe(4);
    await clock.runUntil(10);
    expect(ran).toEqual(["a@1", "b@3", "c@5", "d@5"]);
  });

  it("keeps order with many entries", async () => {
    const { clock } = setUp();
    const random = new Random(7);
    const times: number[] = [];
    for (let at = 0; at < 1_000; at++) clock.after(random.whole(0, 50), undefined, () => times.push(clock.now));
    await clock.runUntil(100);
    expect(times).toHaveLength(1_000);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  it("settles every promise before the next entry", async () => {
    const { clock } = setUp();
    const ran: string[] = [];
    clock.after(1, undefined, () => {
      void (async () => {
        for (let at = 0; at < 20; at++) await undefined;
        ran.push("settled");
      })();
    });
    clock.after(1, undefined, () => ran.push("next"));
    await clock.runUntil(1);
    expect(ran).toEqual(["settled", "next"]);
  });

  it("tells what an entry threw, and goes on", async () => {
    const { clock, errors } = setUp();
    let ran = false;
    clock.after(1, undefined, () => {
      throw new Error("broken");
    });
    clock.after(2, undefined, () => {
      ran = true;
    });
    await clock.runUntil(5);
    expect(errors).toHaveLength(1);
    expect(ran).toBe(true);
  });
});

describe("a process", () => {
  it("has timers that can be cancelled, and that die with it", async () => {
    const { clock, process } = setUp();
    const ran: string[] = [];
    process.runtime.timer(10, () => ran.push("kept"));
    process.runtime.timer(10, () => ran.push("cancelled")).cancel();
    process.runtime.timer(30, () => ran.push("dead"));
    clock.after(20, undefined, () => process.crash());
    await clock.runUntil(50);
    expect(ran).toEqual(["kept"]);
  });

  it("does what it could not do while paused afterwards, in order", async () => {
    const { clock, process } = setUp();
    const ran: string[] = [];
    clock.after(10, process, () => ran.push(`a@${clock.now}`));
    clock.after(20, process, () => ran.push(`b@${clock.now}`));
    clock.after(5, undefined, () => process.pause(100));
    await clock.runUntil(200);
    expect(ran).toEqual(["a@105", "b@105"]);
  });

  it("has a wall clock of its own that jumps, and an elapsed time that does not", async () => {
    const { clock, process } = setUp();
    const elapsed = process.runtime.elapsed();
    await clock.runUntil(1_000);
    process.skew = -5_000;
    expect(process.runtime.now()).toBe(EPOCH_START - 4_000);
    expect(process.runtime.elapsed() - elapsed).toBe(1_000);
  });

  it("has timers no longer than a real one's: those fire at once", async () => {
    const { clock, process } = setUp();
    let ran = false;
    process.runtime.timer(2 ** 31, () => {
      ran = true;
    });
    await clock.runUntil(2);
    expect(ran).toBe(true);
  });
});
