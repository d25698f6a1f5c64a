import type { Work } from "@tandem/model/work";
import { JobFailure } from "@tandem/model/work";
import { describe, expect, it } from "vitest";
import { JobDesk, jobs } from "./job-desk.fixture.ts";
import { work } from "./work.ts";

type Attempt = Work & { done(result?: unknown): void; fail(error: unknown): void };

/** A worker at the jobs of `desk:1`, whose attempts wait until the test ends them. A lease is of 3 s, its grace of 2 s. */
async function worker(concurrency = 1) {
  const desk = new JobDesk();
  const runs: Attempt[] = [];
  const at = work(desk.room, "jobs", jobs, {
    concurrency,
    lease: 3_000,
    run: (work) => new Promise((done, fail) => runs.push({ ...work, done, fail })),
  });
  await desk.connect();
  const attempt = (index = runs.length - 1): Attempt => {
    const run = runs[index];
    if (!run) throw new Error("there is no attempt");
    return run;
  };
  return { desk, worker: at, runs, attempt };
}

describe("work", () => {
  it("claims what is started, one job at a time, and completes it", async () => {
    const { desk, worker: at, runs, attempt } = await worker();
    await desk.other("start", { title: "one", input: { page: 1 } });
    await desk.pass(1);
    await desk.other("start", { title: "two" });
    await desk.settle();
    expect([runs.length, at.running]).toEqual([1, 1]);
    expect(attempt()).toMatchObject({ input: { page: 1 }, job: { title: "one", attempts: 1 } });
    const { id, token } = attempt().job;
    expect(attempt().fence).toEqual({ name: `jobs/${id}`, token });
    attempt().done({ pages: 3 });
    await desk.settle();
    expect(desk.jobs.map(({ phase }) => phase.kind)).toEqual(expect.arrayContaining(["completed", "running"]));
    expect(desk.told("complete")[0]?.input).toMatchObject({ result: { pages: 3 }, token });
    expect([runs.length, attempt().job.title]).toEqual([2, "two"]);
  });

  it("takes as many at a time as it may", async () => {
    const { desk, worker: at, runs } = await worker(3);
    for (let count = 0; count < 5; count++) await desk.other("start", { title: `${count}` });
    await desk.settle();
    expect([runs.length, at.running]).toEqual([3, 3]);
    runs[1]?.done();
    await desk.settle();
    expect(runs.length).toBe(4);
  });

  it("begins on what was started while there was no connection", async () => {
    const { desk, runs } = await worker();
    await desk.offline();
    await desk.other("start", { title: "t" });
    await desk.pass(500);
    expect(runs).toHaveLength(0);
    await desk.online();
    await desk.pass(1_000);
    expect(runs).toHaveLength(1);
  });

  it("refuses options that cannot be, and opens nothing then", async () => {
    const desk = new JobDesk();
    for (const concurrency of [0, -1, 1.5, 1_000_000])
      expect(() => work(desk.room, "jobs", jobs, { concurrency, run: () => {} })).toThrow(RangeError);
    await desk.connect();
    const asked = desk.world.server.present.messages.map(({ type }) => type);
    expect(asked).not.toContain("state");
    expect(asked).not.toContain("subscribe");
  });
});

describe("progress", () => {
  it("is stored at once, then the newest once a second; a checkpoint stands until there is a newer one", async () => {
    const { desk, attempt } = await worker();
    await desk.other("start", { title: "t" });
    attempt().progress(0.1, "read");
    await desk.settle();
    for (const page of [2, 3, 4]) attempt().progress(page / 10, { step: "write", checkpoint: { page } });
    attempt().progress(0.5);
    await desk.settle();
    expect(desk.told("progress").map(({ input }) => input.progress)).toEqual([0.1]);
    await desk.pass(1_000);
    expect(desk.told("progress").map(({ input }) => input.progress)).toEqual([0.1, 0.5]);
    expect(desk.job).toMatchObject({ progress: 0.5, checkpoint: { page: 4 } });
    // Less than was told does not go back, and what cannot be is taken as what can.
    attempt().progress(0.2);
    attempt().progress(Number.NaN);
    await desk.pass(1_000);
    expect(desk.job.progress).toBe(0.5);
    attempt().progress(7);
    await desk.pass(1_000);
    expect(desk.job.progress).toBe(1);
    expect(desk.told("progress").every(({ status }) => status === "accepted")).toBe(true);
  });

  it("is a sign of life, as lines are; without either there are heartbeats", async () => {
    const { desk, attempt } = await worker();
    await desk.other("start", { title: "t" });
    for (let second = 0; second < 10; second++) {
      attempt().progress(second / 10);
      attempt().log(`line ${second}`);
      await desk.pass(900);
    }
    expect(desk.told("heartbeat")).toEqual([]);
    expect(desk.job).toMatchObject({ phase: { kind: "running" }, logged: 10 });
    await desk.pass(20_000);
    expect(desk.told("heartbeat").length).toBeGreaterThan(5);
    expect(desk.job.phase.kind).toBe("running");
  });
});

describe("a failure", () => {
  it("that is recoverable is tried again after its back-off, from its checkpoint", async () => {
    const { desk, runs, attempt } = await worker();
    await desk.other("start", { title: "t", retries: 2, backoff: { first: 2_000, most: 60_000 } });
    attempt().progress(0.5, { checkpoint: { page: 5 } });
    await desk.settle();
    attempt().fail(new JobFailure("busy", "It was busy."));
    await desk.settle();
    expect(desk.job).toMatchObject({ phase: { kind: "retrying" }, error: { code: "busy", recoverable: true } });
    await desk.pass(1_900);
    expect(runs).toHaveLength(1);
    await desk.pass(200);
    expect(runs).toHaveLength(2);
    expect(attempt().job).toMatchObject({ attempts: 2, checkpoint: { page: 5 } });
    attempt().fail(new Error("It broke."));
    await desk.pass(3_900);
    expect(runs).toHaveLength(2);
    await desk.pass(200);
    expect(attempt().job).toMatchObject({ attempts: 3, error: { code: "error", message: "It broke." } });
    attempt().fail(new Error("again"));
    await desk.pass(60_000);
    expect([runs.length, desk.job.phase.kind]).toEqual([3, "failed"]);
  });

  it("that is not is the end", async () => {
    const { desk, runs, attempt } = await worker();
    await desk.other("start", { title: "t" });
    attempt().fail(new JobFailure("no-such-file", "There is none.", { recoverable: false }));
    await desk.pass(60_000);
    expect(runs).toHaveLength(1);
    expect(desk.job.phase).toMatchObject({ kind: "failed", error: { code: "no-such-file" } });
  });

  it("is what a result is that cannot be stored", async () => {
    const { desk, attempt } = await worker();
    await desk.other("start", { title: "t" });
    attempt().done("x".repeat(20_000));
    await desk.settle();
    expect(desk.job.phase).toMatchObject({ kind: "failed", error: { code: "invalid-result" } });
  });
});

describe("a cancelled job", () => {
  it("aborts its attempt, which is over when its function has stopped", async () => {
    const { desk, runs, attempt } = await worker();
    await desk.other("start", { title: "t" });
    expect(attempt().signal.aborted).toBe(false);
    await desk.other("cancel", { job: desk.job.id, reason: "not needed" });
    expect(attempt().signal.aborted).toBe(true);
    expect(String(attempt().signal.reason)).toContain("cancelled");
    expect(desk.job.phase.kind).toBe("cancelling");
    attempt().fail(attempt().signal.reason);
    await desk.settle();
    expect(desk.told("fail")).toEqual([]);
    expect(desk.job.phase).toMatchObject({ kind: "cancelled", by: "bea", reason: "not needed" });
    await desk.pass(10_000);
    expect(runs).toHaveLength(1);
  });

  it("counts as completed where the result comes all the same", async () => {
    const { desk, attempt } = await worker();
    await desk.other("start", { title: "t" });
    await desk.other("cancel", { job: desk.job.id });
    attempt().done("whole");
    await desk.settle();
    expect(desk.job.phase).toMatchObject({ kind: "completed", result: "whole" });
  });
});

describe("a lease", () => {
  it("that nothing confirms any more is lost: aborted, and nothing is told of it", async () => {
    const { desk, runs, attempt } = await worker();
    await desk.other("start", { title: "t" });
    for (const command of ["heartbeat", "progress", "log", "claim"]) desk.deaf.add(command);
    await desk.pass(4_900);
    expect(attempt().signal.aborted).toBe(false);
    await desk.pass(200);
    expect(attempt().signal.aborted).toBe(true);
    expect(String(attempt().signal.reason)).toContain("lost");
    attempt(0).done("late");
    await desk.pass(5_000);
    expect(desk.told("complete")).toEqual([]);
    expect([runs.length, desk.job.phase.kind]).toEqual([1, "waiting"]);
  });

  it("that another has is lost as soon as that shows", async () => {
    const { desk, worker: at, runs, attempt } = await worker();
    await desk.other("start", { title: "t" });
    await desk.offline();
    await desk.pass(3_100);
    expect(desk.job.phase.kind).toBe("stalled");
    // The server forgets it before the worker does: its clock is ahead.
    desk.stage.pass(2_000);
    await desk.other("claim", { worker: "other" });
    expect(attempt().signal.aborted).toBe(false);
    // Its sign of life finds no answer: what it sees of the jobs has to tell.
    desk.deaf.add("heartbeat");
    await desk.online();
    await desk.pass(100);
    expect(attempt().signal.aborted).toBe(true);
    attempt(0).done("mine");
    await desk.settle();
    expect(desk.job.phase).toMatchObject({ kind: "running", lease: { worker: "other" } });
    expect([at.running, runs.length]).toEqual([0, 1]);
  });
});

describe("a connection that is lost", () => {
  it("and back within the lease and its grace changes nothing: one attempt, one result", async () => {
    const { desk, runs, attempt } = await worker();
    await desk.other("start", { title: "t" });
    attempt().progress(0.1);
    await desk.settle();
    await desk.offline();
    attempt().progress(0.7, { checkpoint: 7 });
    await desk.pass(3_500);
    expect(desk.job.phase.kind).toBe("stalled");
    await desk.online();
    await desk.pass(1_000);
    expect(desk.job).toMatchObject({ phase: { kind: "running" }, progress: 0.7, checkpoint: 7, attempts: 1 });
    expect(attempt().signal.aborted).toBe(false);
    attempt().done("whole");
    await desk.settle();
    expect(desk.job.phase).toMatchObject({ kind: "completed", result: "whole" });
    expect([runs.length, desk.told("complete").length]).toEqual([1, 1]);
  });

  it("while the outcome is on its way settles it once", async () => {
    const { desk, attempt } = await worker();
    await desk.other("start", { title: "t" });
    await desk.offline();
    attempt().done("offline");
    await desk.pass(1_000);
    await desk.online();
    await desk.pass(500);
    expect(desk.job.phase).toMatchObject({ kind: "completed", result: "offline" });
    expect(desk.told("complete")).toHaveLength(1);
  });

  it("until another has the job: the outcome is refused, and that is all", async () => {
    const { desk, worker: at, attempt } = await worker();
    await desk.other("start", { title: "t" });
    await desk.offline();
    attempt().done("mine");
    desk.stage.pass(5_000);
    await desk.other("claim", { worker: "other" });
    await desk.online();
    await desk.pass(1_000);
    expect(desk.told("complete")).toMatchObject([{ status: "rejected" }]);
    expect(desk.told("fail")).toEqual([]);
    expect(at.running).toBe(0);
    expect(desk.job.phase).toMatchObject({ kind: "running", lease: { worker: "other" } });
  });

  it("for longer loses the job; back again, it begins anew", async () => {
    const { desk, runs, attempt } = await worker();
    await desk.other("start", { title: "t" });
    await desk.offline();
    await desk.pass(10_000);
    expect(attempt(0).signal.aborted).toBe(true);
    expect(desk.job.phase.kind).toBe("waiting");
    attempt(0).done("old");
    await desk.online();
    await desk.pass(5_000);
    expect(runs).toHaveLength(2);
    expect(attempt(1).job).toMatchObject({ attempts: 2, failures: 1 });
    attempt(1).done("new");
    await desk.settle();
    expect(desk.job.phase).toMatchObject({ kind: "completed", result: "new" });
  });
});

describe("an end", () => {
  it("of the worker aborts what runs and gives it back; what is done all the same counts", async () => {
    const { desk, worker: at, runs, attempt } = await worker(2);
    await desk.other("start", { title: "one" });
    await desk.other("start", { title: "two" });
    await desk.settle();
    expect(runs).toHaveLength(2);
    let over = false;
    void at.close().then(() => {
      over = true;
    });
    expect(runs.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    expect(String(attempt(0).signal.reason)).toContain("given back");
    attempt(0).done("done");
    attempt(1).fail(attempt(1).signal.reason);
    await desk.settle();
    expect(over).toBe(true);
    expect(desk.jobs.map(({ phase }) => phase.kind).sort()).toEqual(["completed", "waiting"]);
    await desk.other("start", { title: "three" });
    await desk.pass(5_000);
    expect(runs).toHaveLength(2);
    // Nothing of it is left: the channel is not read any more.
    expect(desk.world.server.present.all("unsubscribe")).toHaveLength(1);
  });

  it("of the client ends its workers", async () => {
    const { desk, worker: at, attempt } = await worker();
    await desk.other("start", { title: "t" });
    const closing = desk.client.close();
    await desk.world.runtime.settle();
    expect(attempt().signal.aborted).toBe(true);
    attempt().fail(attempt().signal.reason);
    await desk.world.server.present.end(1000);
    await closing;
    await at.close();
    expect(at.running).toBe(0);
  });
});
