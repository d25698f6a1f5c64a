import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { CommandInput, StateOf } from "../model.ts";
import type { Outcome, Step } from "../testing/index.ts";
import { play, Rehearsal, take } from "../testing/index.ts";
import type { Job } from "./job.ts";
import { isOver, leaseOf } from "./job.ts";
import { job } from "./jobs.ts";

const model = job();
type Jobs = typeof model;

function stageOf(jobs: Jobs = model) {
  return new Rehearsal(jobs, { admins: ["admin"] });
}

/** The data of the event that a command made. */
function made<D>(outcome: Outcome): D {
  const [event] = outcome.status === "accepted" ? outcome.events : [];
  if (!event) throw new Error(`made nothing: ${JSON.stringify(outcome)}`);
  return event.data as D;
}

function start(stage: Rehearsal<Jobs>, more: Partial<CommandInput<Jobs, "start">> = {}, by = "ann"): string {
  return made<{ id: string }>(stage.command(by, "start", { title: "Render", ...more })).id;
}

/** The worker's claim: what it says of the job that it was given. */
function claim(stage: Rehearsal<Jobs>, worker = "w1", more: { job?: string; lease?: number } = {}, user = "bot") {
  const { job, token } = made<{ job: string; token: number }>(stage.command(user, "claim", { worker, ...more }));
  return { job, token };
}

const get = (stage: Rehearsal<Jobs>, id: string) => stage.state.jobs.get(id) as Job;
const refused = (code: string) => ({ status: "rejected", reason: { code } });
const oops = (recoverable: boolean) => ({ code: "oops", message: "It broke.", recoverable });

describe("a job", () => {
  it("is started, claimed, reported on and completed, for all to see", () => {
    const stage = stageOf();
    const ann = stage.join("ann");
    const id = start(stage, { steps: ["read", "write"], input: { page: 1 } });
    const held = claim(stage);
    expect(held).toEqual({ job: id, token: stage.time });
    stage.advance(1_000);
    stage.command("bot", "progress", { ...held, progress: 0.5, step: "write", text: "half", checkpoint: { row: 5 } });
    stage.command("bot", "log", { ...held, lines: ["one", "two"] });
    ann.deliver();
    expect(ann.view.jobs.get(id)).toMatchObject({
      by: "ann",
      phase: { kind: "running", lease: { worker: "w1", user: "bot" } },
      progress: 0.5,
      step: "write",
      checkpoint: { row: 5 },
      input: { page: 1 },
    });
    stage.command("bot", "complete", { ...held, result: { pages: 2 } });
    expect(get(stage, id)).toMatchObject({ progress: 1, phase: { kind: "completed", result: { pages: 2 } } });
    expect([...stage.join("late").view.lines.values()].map(({ line }) => line).sort()).toEqual(["one", "two"]);
    stage.check();
  });

  it("that waits longest is claimed first, one at a time; a named one before its turn", () => {
    const stage = stageOf();
    const ids = [1, 2, 3].map(() => {
      stage.advance(1);
      return start(stage);
    });
    expect(claim(stage, "w1", { job: ids[1] as string }).job).toBe(ids[1]);
    expect([claim(stage, "w2").job, claim(stage, "w3").job]).toEqual([ids[0], ids[2]]);
    expect(stage.command("bot", "claim", { worker: "w4" })).toMatchObject(refused("nothing-waiting"));
    expect(stage.command("bot", "claim", { worker: "w4", job: ids[0] as string })).toMatchObject(
      refused("nothing-waiting"),
    );
    stage.check();
  });

  it("lasts as long as its worker gives signs of life; each kind of them does", () => {
    const stage = stageOf();
    const id = start(stage);
    const held = claim(stage, "w1", { lease: 3_000 });
    for (const sign of ["heartbeat", "progress", "log"] as const) {
      stage.pass(2_000);
      stage.command(
        "bot",
        sign,
        (sign === "log" ? { ...held, lines: ["x"] } : sign === "progress" ? { ...held, progress: 0.1 } : held) as never,
      );
      expect(get(stage, id).phase.kind).toBe("running");
    }
    stage.pass(3_000);
    expect(get(stage, id).phase.kind).toBe("stalled");
    stage.check();
  });

  it("whose lease ends is stalled; its own worker may go on with it while the grace lasts", () => {
    const stage = stageOf();
    const id = start(stage);
    const held = claim(stage);
    stage.pass(15_000);
    expect(get(stage, id).phase).toMatchObject({ kind: "stalled", lease: { worker: "w1" } });
    expect(stage.command("bot", "heartbeat", held)).toMatchObject({ status: "accepted" });
    expect(get(stage, id)).toMatchObject({ phase: { kind: "running" }, token: held.token, failures: 0 });
    stage.check();
  });

  it("G8: is given to another after the grace; what the one before it says then is refused", () => {
    const stage = stageOf();
    const id = start(stage);
    const old = claim(stage);
    stage.advance(1_000);
    stage.command("bot", "progress", { ...old, progress: 0.6 });
    stage.pass(25_000);
    expect(get(stage, id)).toMatchObject({ phase: { kind: "waiting" }, error: { code: "lost" }, failures: 1 });
    const stale: [string, object][] = [
      ["heartbeat", old],
      ["progress", { ...old, progress: 0.9 }],
      ["log", { ...old, lines: ["x"] }],
      ["complete", old],
      ["fail", { ...old, error: oops(false) }],
      ["release", old],
    ];
    const tryAll = () => {
      for (const [command, input] of stale) {
        expect(stage.command("bot", command as "release", input as never)).toMatchObject(refused("stale-lease"));
      }
    };
    tryAll();
    const next = claim(stage, "w2");
    expect(next.token).toBeGreaterThan(old.token);
    tryAll();
    stage.command("bot", "progress", { ...next, progress: 0.2 });
    expect(get(stage, id).progress).toBe(0.6);
    stage.command("bot", "complete", { ...next, result: "second" });
    stage.check();
  });

  it("G7: has a fence under its lease alone, and tokens above those of all jobs before it, also of one that was forgotten", () => {
    const stage = stageOf(job({ keep: 1 }));
    const tokens: number[] = [];
    for (let round = 0; round < 3; round++) {
      const id = start(stage);
      const held = claim(stage);
      expect(stage.fences).toEqual(new Map([[id, held.token]]));
      stage.command("bot", "complete", held);
      expect(stage.fences.size).toBe(0);
      tokens.push(held.token, get(stage, id).token);
    }
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
    stage.check();
  });

  it("fails once no attempt is left; lost ones count", () => {
    const stage = stageOf();
    const id = start(stage, { retries: 1, backoff: { first: 1_000, most: 60_000 } });
    stage.command("bot", "fail", { ...claim(stage), error: oops(true) });
    stage.pass(1_000);
    claim(stage);
    stage.pass(25_000);
    expect(get(stage, id)).toMatchObject({ attempts: 2, phase: { kind: "failed", error: { code: "lost" } } });
    stage.check();
  });

  it("is tried again later each time; at once never, where it cannot help", () => {
    const stage = stageOf();
    const id = start(stage, { retries: 5, backoff: { first: 1_000, most: 3_000 } });
    for (const wait of [1_000, 2_000, 3_000]) {
      stage.command("bot", "fail", { ...claim(stage), error: oops(true) });
      stage.pass(wait - 1);
      expect(get(stage, id).phase.kind).toBe("retrying");
      stage.pass(1);
      expect(get(stage, id).phase.kind).toBe("waiting");
    }
    stage.command("bot", "fail", { ...claim(stage), error: oops(false) });
    expect(get(stage, id)).toMatchObject({ attempts: 4, phase: { kind: "failed", error: { code: "oops" } } });
    stage.check();
  });

  it("that is given back waits for the next, and that is no failure", () => {
    const stage = stageOf();
    const id = start(stage, { retries: 0 });
    for (let times = 0; times < 3; times++) stage.command("bot", "release", claim(stage));
    expect(get(stage, id)).toMatchObject({ phase: { kind: "waiting" }, failures: 0, attempts: 3 });
    stage.check();
  });

  it("is cancelled at once where nobody works on it", () => {
    const stage = stageOf();
    const id = start(stage);
    stage.command("bea", "cancel", { job: id, reason: "not needed" });
    expect(get(stage, id).phase).toMatchObject({ kind: "cancelled", by: "bea", reason: "not needed" });
    expect(stage.command("bot", "claim", { worker: "w1" })).toMatchObject(refused("nothing-waiting"));
    stage.check();
  });

  it.each([
    ["when its worker has stopped", "release"],
    ["when its worker failed at that", "fail"],
    ["when the lease ends, whatever its worker's heartbeats", "silence"],
  ])("that runs is cancelled %s", (_, how) => {
    const stage = stageOf();
    const id = start(stage);
    const held = claim(stage);
    stage.command("bea", "cancel", { job: id, reason: "no" });
    expect(get(stage, id).phase).toMatchObject({ kind: "cancelling", by: "bea" });
    expect(stage.command("cai", "cancel", { job: id })).toMatchObject({ status: "accepted", events: [] });
    if (how === "release") stage.command("bot", "release", held);
    if (how === "fail") stage.command("bot", "fail", { ...held, error: oops(true) });
    if (how === "silence") {
      stage.pass(10_000);
      stage.command("bot", "heartbeat", held);
      stage.pass(5_000);
    }
    expect(get(stage, id).phase).toMatchObject({ kind: "cancelled", by: "bea", reason: "no" });
    expect(stage.command("bot", "complete", held)).toMatchObject(refused("ended"));
    stage.check();
  });

  it("G8: that was done before its worker heard of the cancel is done", () => {
    const stage = stageOf();
    const id = start(stage);
    const held = claim(stage);
    stage.command("bea", "cancel", { job: id });
    stage.command("bot", "complete", { ...held, result: 1 });
    expect(get(stage, id).phase).toMatchObject({ kind: "completed", result: 1 });
    expect(stage.command("bea", "cancel", { job: id })).toMatchObject(refused("ended"));
    stage.check();
  });

  it("takes one checkpoint a second", () => {
    const stage = stageOf();
    const held = claim(stage, "w1", { job: start(stage) });
    stage.command("bot", "progress", { ...held, progress: 0.1 });
    stage.advance(400);
    expect(stage.command("bot", "progress", { ...held, progress: 0.2 })).toMatchObject({
      reason: { code: "too-soon", after: 600 },
    });
    stage.advance(600);
    expect(stage.command("bot", "progress", { ...held, progress: 0.2 })).toMatchObject({ status: "accepted" });
  });

  it("is worked on by who holds it: its token in another's hands is nothing", () => {
    const stage = stageOf();
    start(stage);
    const held = claim(stage);
    expect(stage.command("eve", "complete", held)).toMatchObject(refused("stale-lease"));
    expect(stage.command(undefined, "complete", held)).toMatchObject(refused("stale-lease"));
  });

  it("can be cancelled by who started it, and admins, where the model says so", () => {
    const own = stageOf(job({ cancel: "starter" }));
    const id = start(own);
    expect(own.command("bea", "cancel", { job: id })).toMatchObject(refused("not-yours"));
    expect(own.command("admin", "cancel", { job: id })).toMatchObject({ status: "accepted" });
    expect(own.command("ann", "cancel", { job: start(own) })).toMatchObject({ status: "accepted" });
  });

  it("keeps a bounded number of jobs and lines, the open ones always", () => {
    const stage = stageOf(job({ open: 2, keep: 2, lines: 3 }));
    const ids = Array.from({ length: 5 }, () => {
      const id = start(stage);
      const held = claim(stage);
      stage.command("bot", "log", { ...held, lines: ["1", "2"] });
      stage.command("bot", "log", { ...held, lines: ["3", "4"] });
      stage.command("bot", "complete", held);
      stage.advance(1);
      return id;
    });
    expect([...stage.state.jobs.keys()].sort()).toEqual(ids.slice(3).sort());
    expect([...stage.state.lines].filter(([key]) => key.startsWith(`${ids[4]}/`)).length).toBe(3);
    expect(stage.state.lines.size).toBe(6);
    start(stage);
    start(stage);
    expect(stage.command("ann", "start", { title: "more" })).toMatchObject(refused("too-many-open"));
    stage.check();
  });

  it.each([
    ["a job too large", "start", { title: "t", input: "x".repeat(17_000) }],
    ["progress beyond its end", "progress", { job: "a", token: 1, progress: 1.1 }],
    ["a line too long", "log", { job: "a", token: 1, lines: ["x".repeat(501)] }],
    ["a result too large", "complete", { job: "a", token: 1, result: ["€".repeat(6_000)] }],
  ])("is not told %s", (_, command, input) => {
    expect(stageOf().command("ann", command as "start", input as never)).toMatchObject({ status: "invalid" });
  });
});

describe("jobs in any hands, in any order", () => {
  const pick = fc.nat(3);
  const client = fc.nat(3);
  /** What a worker would say of one of the jobs, with the newest token or an older one. */
  const held = (at: number, back: number, more: object) => (state: StateOf<Jobs>) => {
    const leased = [...state.jobs.values()].filter((one) => leaseOf(one) !== undefined);
    const all = leased.length > 0 && back === 0 ? leased : [...state.jobs.values()];
    const one = all[at % Math.max(1, all.length)];
    return { job: one?.id ?? "none", token: Math.max(1, (one?.token ?? 1) - back), ...more };
  };
  const back = fc.constantFrom(0, 0, 0, 1, 2);
  const sent: fc.Arbitrary<{ command: keyof Jobs["commands"]; input: unknown }> = fc.oneof(
    {
      weight: 2,
      arbitrary: fc.record({ retries: fc.nat(2), first: fc.nat(2_000) }).map(({ retries, first }) => ({
        command: "start" as const,
        input: { title: "t", retries, backoff: { first, most: 3_000 } },
      })),
    },
    {
      weight: 4,
      arbitrary: fc
        .record({ worker: fc.constantFrom("a", "b"), lease: fc.integer({ min: 2_000, max: 6_000 }) })
        .map((input) => ({ command: "claim" as const, input })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ pick, back, command: fc.constantFrom("heartbeat" as const, "release" as const) })
        .map(({ pick, back, command }) => ({ command, input: held(pick, back, {}) })),
    },
    {
      weight: 8,
      arbitrary: fc
        .record({ pick, back, progress: fc.integer({ min: 0, max: 100 }) })
        .map(({ pick, back, progress }) => ({
          command: "progress" as const,
          input: held(pick, back, { progress: progress / 100 }),
        })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({ pick, back })
        .map(({ pick, back }) => ({ command: "log" as const, input: held(pick, back, { lines: ["x"] }) })),
    },
    {
      weight: 1,
      arbitrary: fc
        .record({ pick, back })
        .map(({ pick, back }) => ({ command: "complete" as const, input: held(pick, back, { result: 1 }) })),
    },
    {
      weight: 1,
      arbitrary: fc.record({ pick, back, recoverable: fc.boolean() }).map(({ pick, back, recoverable }) => ({
        command: "fail" as const,
        input: held(pick, back, { error: oops(recoverable) }),
      })),
    },
    {
      weight: 1,
      arbitrary: pick.map((at) => ({
        command: "cancel" as const,
        input: (state: StateOf<Jobs>) => ({ job: [...state.jobs.keys()][at % Math.max(1, state.jobs.size)] ?? "none" }),
      })),
    },
  );
  const steps: fc.Arbitrary<Step<Jobs>[]> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ client, sent }).map(({ client, sent }): Step<Jobs>[] => [
        { do: "send", client, ...sent },
        { do: "serve", client },
        { do: "deliver", client, count: 9 },
      ]),
    },
    {
      weight: 3,
      arbitrary: fc.record({ client, sent }).map(({ client, sent }): Step<Jobs>[] => [{ do: "send", client, ...sent }]),
    },
    { weight: 3, arbitrary: client.map((client): Step<Jobs>[] => [{ do: "serve", client }]) },
    { weight: 3, arbitrary: client.map((client): Step<Jobs>[] => [{ do: "deliver", client, count: 2 }]) },
    { weight: 1, arbitrary: client.map((client): Step<Jobs>[] => [{ do: "reload", client }]) },
    { weight: 4, arbitrary: fc.integer({ min: 900, max: 4_000 }).map((ms): Step<Jobs>[] => [{ do: "pass", ms }]) },
    {
      weight: 2,
      arbitrary: fc.integer({ min: -500, max: 3_000 }).map((ms): Step<Jobs>[] => [{ do: "advance", ms }]),
    },
  );

  it("G8: end once, never go back, and are held by one worker at a time", () => {
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 100, size: "max" }), (all) => {
        const few = job({ open: 4, keep: 2, lines: 3, lease: 2_000, grace: 1_500 });
        const stage = stageOf(few);
        for (const user of ["ann", "bot", "bot", "bot"]) stage.join(user);
        const ended = new Map<string, Job>();
        const progress = new Map<string, number>();
        for (const one of all.flat()) {
          take(stage, one);
          for (const job of stage.state.jobs.values()) {
            expect(job.progress).toBeGreaterThanOrEqual(progress.get(job.id) ?? 0);
            progress.set(job.id, job.progress);
            const before = ended.get(job.id);
            if (before) expect(job).toBe(before);
            if (isOver(job)) ended.set(job.id, job);
            expect(job.failures).toBeLessThanOrEqual(job.retries + (isOver(job) ? 1 : 0));
            expect(job.attempts).toBeGreaterThanOrEqual(job.failures);
          }
          expect(stage.state.jobs.size).toBeLessThanOrEqual(4 + 2);
          expect(stage.state.lines.size).toBeLessThanOrEqual(stage.state.jobs.size * 3);
        }
        play(stage, []);
        check(stage);
      }),
      { numRuns: 120 },
    );
  });

  /** What the log tells of each job. */
  function check(stage: Rehearsal<Jobs>): void {
    const told = new Map<string, number>();
    const ends = new Map<string, number>();
    for (const { type, data } of stage.events) {
      const { job, progress, retry } = data as { job: string; progress: number; retry?: number };
      if (ends.has(job)) throw new Error(`${type} after the end of ${job}`);
      if (type === "progressed") {
        expect(progress).toBeGreaterThanOrEqual(told.get(job) ?? 0);
        told.set(job, progress);
      }
      const final = type === "completed" || type === "cancelled" || (type === "failed" && retry === undefined);
      if (final) ends.set(job, 1);
    }
  }
});
