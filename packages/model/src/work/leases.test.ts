import { describe, expect, it } from "vitest";
import type { Work } from "./attempt.ts";
import { Desk } from "./desk.fixture.ts";
import { JobWorker } from "./worker.ts";

const DONE = { kind: "done" } as const;
const UNKNOWN = { kind: "unknown" } as const;
const refused = (code: string) => ({ kind: "refused", code }) as const;

/** A worker whose attempts wait until the test ends them. A lease is of 3 s, its grace of 2 s. */
function workerAt(desk: Desk, concurrency = 1) {
  const runs: (Work & { readonly done: (result?: unknown) => void })[] = [];
  const worker = new JobWorker(desk.ports, {
    concurrency,
    lease: 3_000,
    run: (work) => new Promise((done) => runs.push({ ...work, done })),
  });
  return { worker, runs };
}

/** It has claimed a job, and has seen that at once. */
async function atWork(desk: Desk) {
  const { worker, runs } = workerAt(desk);
  const id = desk.start();
  await desk.show();
  desk.last("claim").take();
  await desk.last("claim").answer(DONE);
  await desk.show();
  const [run] = runs;
  if (!run) throw new Error("it did not begin");
  return { worker, runs, run, id };
}

describe("G8: a lease lasts, for its worker, from when a sign of life was sent", () => {
  it("and not from when it was answered", async () => {
    const desk = new Desk();
    const { run } = await atWork(desk);
    await desk.pass(1_000);
    const [sign] = desk.all("heartbeat");
    expect(sign?.at).toBe(1_000);
    sign?.take();
    await desk.pass(2_900);
    await sign?.answer(DONE);
    // Nothing of what it says later comes through.
    await desk.pass(2_099);
    expect(run.signal.aborted).toBe(false);
    await desk.pass(1);
    expect(desk.elapsed).toBe(6_000);
    expect(run.signal.aborted).toBe(true);
    expect(desk.stage.state.jobs.values().next().value?.phase.kind).toBe("waiting");
  });

  it("which holds for progress and lines as well", async () => {
    for (const tell of [(run: Work) => run.progress(0.5), (run: Work) => run.log("line")]) {
      const desk = new Desk();
      const { run } = await atWork(desk);
      await desk.pass(500);
      tell(run);
      await desk.pass(250);
      const told = desk.asked.find(({ command }) => command === "progress" || command === "log");
      expect(told?.at).toBeLessThanOrEqual(700);
      told?.take();
      await desk.pass(3_000);
      await told?.answer(DONE);
      await desk.pass(5_000 - desk.elapsed + (told?.at ?? 0) - 1);
      expect(run.signal.aborted).toBe(false);
      await desk.pass(1);
      expect(run.signal.aborted).toBe(true);
    }
  });

  it("and for the claim itself, however late it shows what it got", async () => {
    const desk = new Desk();
    const { runs } = workerAt(desk);
    desk.start();
    await desk.show();
    const claim = desk.last("claim");
    claim.take();
    await desk.pass(2_500);
    await claim.answer(DONE);
    await desk.show();
    await desk.pass(2_499);
    expect(runs[0]?.signal.aborted).toBe(false);
    await desk.pass(1);
    expect(runs[0]?.signal.aborted).toBe(true);
  });

  it("so that no other can hold it while its worker thinks that it does", async () => {
    const desk = new Desk();
    const { run, id } = await atWork(desk);
    await desk.pass(10_000);
    const { phase } = desk.stage.state.jobs.get(id) ?? {};
    expect(phase?.kind).toBe("waiting");
    // By the server's clock the job was free no sooner than its worker had given it up.
    const [freed] = desk.stage.events.filter(({ type }) => type === "returned");
    const [claimed] = desk.stage.events.filter(({ type }) => type === "claimed");
    expect((freed?.info.time ?? 0) - (claimed?.info.time ?? 0)).toBe(5_000);
    expect(run.signal.aborted).toBe(true);
  });
});

describe("a worker looks again", () => {
  it("where others were faster and more came while it asked", async () => {
    const desk = new Desk();
    workerAt(desk);
    desk.start();
    await desk.show();
    const [claim] = desk.all("claim");
    desk.stage.command("another", "claim", { worker: "another" });
    // It hears of a second job, while its own claim is on its way; and of nothing after that.
    claim?.take();
    desk.start();
    await desk.show();
    await claim?.answer(refused("nothing-waiting"));
    expect(desk.all("claim")).toHaveLength(2);
  });

  it("but not for what it knows to be gone, whatever else it hears: for a job that is new to it", async () => {
    const desk = new Desk();
    workerAt(desk);
    desk.start();
    await desk.show();
    await desk.last("claim").answer(refused("nothing-waiting"));
    await desk.pass(14_999);
    await desk.show();
    expect(desk.all("claim")).toHaveLength(1);
    desk.start();
    await desk.show();
    expect(desk.all("claim")).toHaveLength(2);
  });

  it("and for what it believed gone, a while later: a restored backup may have it wait again", async () => {
    const desk = new Desk();
    workerAt(desk);
    desk.start();
    await desk.show();
    await desk.last("claim").answer(refused("nothing-waiting"));
    await desk.pass(15_000);
    expect(desk.all("claim")).toHaveLength(2);
  });

  it("a moment after a claim that was refused for another reason", async () => {
    const desk = new Desk();
    workerAt(desk);
    desk.start();
    await desk.show();
    await desk.last("claim").answer(refused("overloaded"));
    expect(desk.all("claim")).toHaveLength(1);
    await desk.pass(1_000);
    expect(desk.all("claim")).toHaveLength(2);
  });

  it("a moment after a claim that was lost, where there is room for another", async () => {
    const desk = new Desk();
    workerAt(desk, 2);
    desk.start();
    await desk.show();
    await desk.last("claim").answer(UNKNOWN);
    await desk.pass(1_000);
    expect(desk.all("claim")).toHaveLength(2);
  });

  it("a moment after a lease, where the claim that was lost took its only place", async () => {
    const desk = new Desk();
    workerAt(desk);
    desk.start();
    await desk.show();
    await desk.last("claim").answer(UNKNOWN);
    await desk.pass(2_999);
    expect(desk.all("claim")).toHaveLength(1);
    await desk.pass(1_501);
    expect(desk.all("claim")).toHaveLength(2);
    expect(desk.last("claim").input.worker).not.toBe(desk.all("claim")[0]?.input.worker);
  });

  it("a moment after a lease, where a claim was accepted and what it got is never shown", async () => {
    const desk = new Desk();
    workerAt(desk);
    desk.start();
    desk.start();
    await desk.show();
    const [claim] = desk.all("claim");
    claim?.take();
    await claim?.answer(DONE);
    await desk.pass(2_999);
    expect(desk.all("claim")).toHaveLength(1);
    await desk.pass(1_501);
    expect(desk.all("claim")).toHaveLength(2);
  });

  it("when an attempt is over", async () => {
    const desk = new Desk();
    const { run, worker } = await atWork(desk);
    desk.start();
    await desk.show();
    expect(desk.all("claim")).toHaveLength(1);
    run.done();
    await desk.pass(0);
    desk.last("complete").take();
    await desk.last("complete").answer(DONE);
    await desk.pass(0);
    expect(worker.running).toBe(0);
    expect(desk.all("claim")).toHaveLength(2);
  });
});

describe("a claim that is shown before its answer, or after it was given up", () => {
  it("begins one attempt", async () => {
    const desk = new Desk();
    const { runs } = workerAt(desk);
    desk.start();
    await desk.show();
    const claim = desk.last("claim");
    claim.take();
    await desk.show();
    expect(runs).toHaveLength(1);
    await claim.answer(DONE);
    await desk.show();
    expect(runs).toHaveLength(1);
  });

  it("begins none when it was given up: its lease was over by then", async () => {
    const desk = new Desk();
    const { runs } = workerAt(desk);
    desk.start();
    await desk.show();
    const claim = desk.last("claim");
    claim.take();
    await claim.answer(UNKNOWN);
    await desk.pass(3_000);
    await desk.show();
    expect(runs).toHaveLength(0);
    // The job has another lease for whoever comes next, once this one's grace is over.
    await desk.pass(2_000);
    await desk.show();
    desk.last("claim").take();
    await desk.show();
    expect(runs).toHaveLength(1);
  });
});

describe("a worker that is closed while it claims", () => {
  it("gives back what it gets, and is over then", async () => {
    const desk = new Desk();
    const { worker, runs } = workerAt(desk);
    const id = desk.start();
    await desk.show();
    let over = false;
    void worker.close().then(() => {
      over = true;
    });
    await desk.show();
    const claim = desk.last("claim");
    claim.take();
    await desk.show();
    expect(over).toBe(false);
    await claim.answer(DONE);
    const { token } = desk.stage.state.jobs.get(id) ?? {};
    expect(desk.last("release").input).toEqual({ job: id, token });
    expect(runs).toEqual([]);
    await desk.last("release").answer(desk.last("release").take());
    expect(over).toBe(true);
    expect(desk.stage.state.jobs.get(id)?.phase.kind).toBe("waiting");
  });

  it("or got nothing: it asks no more, and leaves no timer", async () => {
    for (const answer of [UNKNOWN, refused("nothing-waiting"), refused("overloaded"), DONE]) {
      const desk = new Desk();
      const { worker } = workerAt(desk);
      desk.start();
      await desk.show();
      const closing = worker.close();
      await desk.last("claim").answer(answer);
      await closing;
      expect(desk.timers).toBe(0);
      await desk.show();
      expect(desk.all("claim")).toHaveLength(1);
    }
  });
});
