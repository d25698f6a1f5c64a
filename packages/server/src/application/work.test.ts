import type { Job, JobState } from "@tandem/model";
import type { Work } from "@tandem/model/work";
import { JobFailure } from "@tandem/model/work";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Cluster } from "../cluster.fixture.ts";
import { cluster } from "../cluster.fixture.ts";

const DESK = "desk:1";

/** A worker whose attempts wait until the test ends them. */
async function workerOn(world: Cluster, node = 0, concurrency = 1) {
  const runs: (Work & { done(result?: unknown): void; fail(error: unknown): void })[] = [];
  const opening = world
    .node(node)
    .application("acme")
    .work(DESK, "jobs", {
      concurrency,
      run: (work) =>
        new Promise((done, fail) => {
          runs.push({ ...work, done, fail });
        }),
    });
  await world.settle();
  const worker = await opening;
  onTestFinished(() => void worker.close());
  return { worker, runs };
}

const jobs = (world: Cluster, node = 0) => world.node(node).application("acme").model(DESK, "jobs");

async function start(world: Cluster, more: object = {}): Promise<string> {
  const known = new Set((await stateOf(world)).jobs.keys());
  const started = jobs(world).command("start", { title: "Render", ...more });
  await world.settle();
  await started;
  return [...(await stateOf(world)).jobs.keys()].find((id) => !known.has(id)) ?? "";
}

async function stateOf(world: Cluster, node = 0): Promise<JobState> {
  const state = jobs(world, node).state();
  await world.settle();
  return (await state).state as JobState;
}

const get = async (world: Cluster, id: string) => (await stateOf(world)).jobs.get(id) as Job;

async function types(world: Cluster): Promise<string[]> {
  const { events } = await world.node().application("acme").history(DESK, { limit: 500 });
  return events.map(({ type }) => type.slice("jobs.".length));
}

describe("a worker", () => {
  it("claims what waits, tells how far it is, and completes it", async () => {
    const world = await cluster();
    const { worker, runs } = await workerOn(world);
    const id = await start(world, { input: { page: 1 } });
    expect([runs.length, worker.running]).toEqual([1, 1]);
    const [run] = runs as [(typeof runs)[0]];
    expect([run.input, run.job.id]).toEqual([{ page: 1 }, id]);
    run.progress(0.2, "read");
    await world.settle();
    for (const at of [0.3, 0.4, 0.5]) run.progress(at, { step: "write", text: `${at}` });
    for (let line = 1; line <= 3; line++) run.log(`line ${line}`);
    await world.advance(1_000);
    expect(await get(world, id)).toMatchObject({ progress: 0.5, step: "write", text: "0.5", logged: 3 });
    run.done({ pages: 2 });
    await world.settle();
    expect(await get(world, id)).toMatchObject({ phase: { kind: "completed", result: { pages: 2 } } });
    expect((await types(world)).filter((type) => type === "progressed").length).toBe(2);
    expect(worker.running).toBe(0);
  });

  it("gives signs of life for as long as it takes", async () => {
    const world = await cluster();
    const { runs } = await workerOn(world);
    const id = await start(world);
    await world.advance(120_000);
    expect(await get(world, id)).toMatchObject({ phase: { kind: "running" }, attempts: 1 });
    expect(await types(world)).not.toContain("stalled");
    runs[0]?.done();
    await world.settle();
    expect((await get(world, id)).phase.kind).toBe("completed");
  });

  it("has no more jobs at a time than it was told, and goes on with the next", async () => {
    const world = await cluster();
    const { runs, worker } = await workerOn(world, 0, 2);
    const ids: string[] = [];
    for (let at = 0; at < 3; at++) ids.push(await start(world));
    expect(runs.map(({ job }) => job.id)).toEqual(ids.slice(0, 2));
    runs[0]?.done();
    await world.advance(2_000);
    expect(runs.map(({ job }) => job.id)).toEqual(ids);
    expect(worker.running).toBe(2);
  });

  it("shares the jobs with others: each goes to one of them", async () => {
    const world = await cluster({ nodes: 2 });
    const [here, there] = [await workerOn(world, 0), await workerOn(world, 1)];
    const ids = [await start(world), await start(world)];
    await world.advance(3_000);
    const taken = [...here.runs, ...there.runs].map(({ job }) => job.id);
    expect(taken.sort()).toEqual(ids.sort());
    expect([here.worker.running, there.worker.running]).toEqual([1, 1]);
  });

  it("hears of a job though the log could not be read when it was started", async () => {
    const world = await cluster({ nodes: 2 });
    const { runs } = await workerOn(world, 0);
    world.log(0).failing = { read: "before" };
    const started = jobs(world, 1).command("start", { title: "Render" });
    await world.advance(5_000);
    await started;
    expect(runs).toEqual([]);
    world.log(0).failing = {};
    await world.advance(5_000);
    expect(runs).toHaveLength(1);
  });

  it("stops when the job is cancelled; it is cancelled when it has stopped", async () => {
    const world = await cluster();
    const { runs } = await workerOn(world);
    const id = await start(world);
    void jobs(world).command("cancel", { job: id });
    await world.settle();
    expect(runs[0]?.signal.aborted).toBe(true);
    expect((await get(world, id)).phase.kind).toBe("cancelling");
    runs[0]?.fail(runs[0].signal.reason);
    await world.settle();
    expect((await get(world, id)).phase.kind).toBe("cancelled");
  });

  it.each([
    ["an error", new Error("It broke."), "retrying", { code: "error", message: "It broke.", recoverable: true }],
    ["no error at all", "?", "retrying", { code: "error", message: "?", recoverable: true }],
    [
      "a failure for good",
      new JobFailure("gone", "No such file.", { recoverable: false }),
      "failed",
      { code: "gone", message: "No such file.", recoverable: false },
    ],
  ])("that throws %s fails the attempt", async (_, thrown, kind, error) => {
    const world = await cluster();
    const { runs } = await workerOn(world);
    const id = await start(world);
    runs[0]?.fail(thrown);
    await world.settle();
    expect(await get(world, id)).toMatchObject({ phase: { kind }, error });
    await world.advance(3_000);
    expect(runs.length).toBe(kind === "retrying" ? 2 : 1);
  });

  it("whose result cannot be stored has failed", async () => {
    const world = await cluster();
    const { runs } = await workerOn(world);
    const id = await start(world);
    runs[0]?.done("x".repeat(20_000));
    await world.settle();
    expect((await get(world, id)).phase).toMatchObject({ kind: "failed", error: { code: "invalid-result" } });
  });

  it("that is closed gives back what it is at, for another to go on with", async () => {
    const world = await cluster();
    const { runs, worker } = await workerOn(world);
    const id = await start(world);
    runs[0]?.progress(0.4, { checkpoint: { row: 40 } });
    await world.settle();
    const closing = worker.close();
    expect(runs[0]?.signal.aborted).toBe(true);
    runs[0]?.fail(new Error("stopped"));
    await world.settle();
    await closing;
    const next = await workerOn(world);
    expect(next.runs[0]?.job).toMatchObject({ id, checkpoint: { row: 40 }, progress: 0.4, failures: 0, attempts: 2 });
    await world.advance(60_000);
    expect(runs.length).toBe(1);
  });

  it("G8: that is cut off from the log stops when its lease and grace are over; another's result stands", async () => {
    const world = await cluster({ nodes: 2 });
    const here = await workerOn(world, 0);
    const id = await start(world);
    here.runs[0]?.progress(0.7);
    await world.settle();
    world.log(0).failing = { append: "before", read: "before", heads: "before", deadlines: "before" };
    world.bus.loses = () => true;
    const there = await workerOn(world, 1);
    await world.advance(20_000);
    expect((await stateOf(world, 1)).jobs.get(id)?.phase.kind).toBe("stalled");
    expect(here.runs[0]?.signal.aborted).toBe(false);
    await world.advance(12_000);
    expect(here.runs[0]?.signal.aborted).toBe(true);
    expect(there.runs[0]?.job).toMatchObject({ id, progress: 0.7, attempts: 2 });
    world.log(0).failing = {};
    world.bus.loses = () => false;
    here.runs[0]?.done("first");
    await world.advance(2_000);
    there.runs[0]?.done("second");
    await world.advance(2_000);
    expect((await get(world, id)).phase).toMatchObject({ kind: "completed", result: "second" });
    expect((await types(world)).filter((type) => type === "completed")).toEqual(["completed"]);
  });

  it("G10: writes under its job's lock, until another has the job", async () => {
    const world = await cluster();
    const { runs } = await workerOn(world);
    const id = await start(world);
    world.token("ada", { grants: { "*": ["read", "publish", "write"] } });
    const ada = await world.client("ada");
    const fence = runs[0]?.fence as { name: string; token: number };
    const message = (seq: number) => ({ ...ada.publishing(DESK, seq), data: { text: `${id} page` }, fence });
    expect(await ada.ask(message(1))).toMatchObject({ type: "published" });
    runs[0]?.fail(new Error("no"));
    await world.settle();
    expect(await ada.ask(message(2))).toMatchObject({ code: "stale-fence" });
  });

  it("G7: writes in process under its job's lock, until another has the job", async () => {
    const world = await cluster();
    const { runs } = await workerOn(world);
    const id = await start(world);
    const application = world.node().application("acme");
    const fence = runs[0]?.fence as { name: string; token: number };
    const publish = async () => {
      const published = application
        .publish(DESK, "message", { text: `${id} page` }, { fence })
        .catch(({ code }) => code);
      await world.settle();
      return published;
    };
    const begin = async () => {
      const started = jobs(world)
        .command("start", { title: "Next" }, { fence })
        .catch(({ code }) => code);
      await world.settle();
      return started;
    };
    expect([await publish(), await begin()]).toMatchObject([{ offset: 3 }, { offset: 4 }]);
    runs[0]?.fail(new Error("no"));
    await world.settle();
    expect([await publish(), await begin()]).toEqual(["stale-fence", "stale-fence"]);
  });
});
