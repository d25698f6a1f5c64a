import type { Runtime } from "@tandem/runtime";
import { silentLogger } from "@tandem/runtime";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { job } from "../job/jobs.ts";
import { Rehearsal } from "../testing/index.ts";
import type { Answer, Jobs, WorkPorts } from "./ports.ts";
import { JobWorker } from "./worker.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One server and its clock, and workers whose words may be late or lost, with their answers or without. */
class World {
  readonly stage = new Rehearsal<Jobs>(job({ lease: 3_000, grace: 2_000 }));
  readonly #random: () => number;
  readonly #timers = new Set<{ at: number; action: () => void }>();
  readonly #listeners = new Set<() => void>();
  #elapsed = 0;
  #ids = 0;
  /** The share of commands whose way is bad. */
  trouble = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  readonly runtime: Runtime = {
    now: () => this.stage.time,
    elapsed: () => this.#elapsed,
    timer: (ms, action) => {
      const timer = { at: this.#elapsed + Math.max(0, Math.ceil(ms)), action };
      this.#timers.add(timer);
      return { cancel: () => void this.#timers.delete(timer) };
    },
    defer: (action) => void setImmediate(action),
    random: () => this.#random(),
    randomId: () => `worker-${this.#ids++}`,
    logger: silentLogger,
  };

  ports(user: string): WorkPorts {
    let state = this.stage.state;
    // In order, as a channel's line keeps it.
    let line: Promise<unknown> = Promise.resolve();
    return {
      runtime: this.runtime,
      model: "jobs",
      jobs: () => state,
      watch: (listener) => {
        const look = () => {
          state = this.stage.state;
          listener();
        };
        const heard = () => void this.runtime.timer(this.#random() * 200, look);
        this.#listeners.add(heard);
        return () => this.#listeners.delete(heard);
      },
      send: (command, input) => {
        const asked = line.then(async (): Promise<Answer> => {
          const bad = this.#random() < this.trouble;
          await this.#wait(this.#random() * (bad ? 9_000 : 50));
          if (bad && this.#random() < 0.4) return { kind: "unknown" };
          const outcome = this.stage.command(user, command, input);
          this.changed();
          await this.#wait(this.#random() * 50);
          if (bad && this.#random() < 0.4) return { kind: "unknown" };
          if (outcome.status === "accepted") return { kind: "done" };
          if (outcome.status !== "rejected") return { kind: "refused", code: outcome.status };
          const { code, after } = outcome.reason as { code: string; after?: number };
          return { kind: "refused", code, after };
        });
        line = asked;
        return asked;
      },
      tick: () => undefined,
    };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.runtime.timer(ms, resolve));
  }

  changed(): void {
    for (const heard of this.#listeners) heard();
  }

  async pass(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    for (;;) {
      await turn();
      const deadline = (this.stage.model.deadline(this.stage.state) ?? Number.POSITIVE_INFINITY) - this.stage.time;
      const acts = this.#elapsed + Math.max(0, deadline);
      const due = Math.min(...[...this.#timers].map(({ at }) => at), acts, until);
      const before = this.stage.events.length;
      this.stage.pass(due - this.#elapsed);
      this.#elapsed = due;
      if (this.stage.events.length > before) this.changed();
      for (const timer of [...this.#timers]) {
        if (timer.at > due || !this.#timers.delete(timer)) continue;
        timer.action();
      }
      if (due >= until) return turn();
    }
  }
}

/** Numbers that look random, the same for the same seed. */
function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("workers", () => {
  it("G8: do each job to one end, one of them at a time, whatever is lost between them and the server", async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom(0, 0.1, 0.4), async (seed, trouble) => {
        const random = chance(seed);
        const world = new World(random);
        world.trouble = trouble;
        const active = new Map<string, number>();
        const results = new Map<string, number>();
        let made = 0;
        let most = 0;
        const workers = [1, 2, 3].map(
          (name) =>
            new JobWorker(world.ports(`bot${name}`), {
              concurrency: 1 + (name % 2),
              lease: 3_000,
              run: async ({ job: { id }, signal, progress, log }) => {
                active.set(id, (active.get(id) ?? 0) + 1);
                const leave = () => active.set(id, (active.get(id) ?? 0) - 1);
                if (signal.aborted) leave();
                else signal.addEventListener("abort", leave, { once: true });
                most = Math.max(most, active.get(id) ?? 0);
                const deaf = random() < 0.2;
                for (let step = 1; step <= 5; step++) {
                  await new Promise<void>((resolve) => world.runtime.timer(random() * 1_500, resolve));
                  if (!deaf) signal.throwIfAborted();
                  progress(step / 5, `step ${step}`);
                  log(`step ${step}`);
                  if (random() < 0.05) {
                    signal.removeEventListener("abort", leave);
                    if (!signal.aborted) leave();
                    throw new Error("It broke.");
                  }
                }
                signal.removeEventListener("abort", leave);
                if (!signal.aborted) leave();
                return made++;
              },
            }),
        );
        for (let at = 0; at < 5; at++) {
          world.stage.command("ann", "start", { title: "t", retries: 100, backoff: { first: 500, most: 2_000 } });
          world.changed();
          await world.pass(Math.ceil(random() * 2_000));
          const [some] = world.stage.state.jobs.keys();
          if (random() < 0.2) world.stage.command("ann", "cancel", { job: some ?? "" });
          world.changed();
        }
        await world.pass(60_000);
        world.trouble = 0;
        await world.pass(120_000);
        world.stage.check();
        expect(most).toBe(1);
        for (const { type, data } of world.stage.events) {
          const { job } = data as { job: string };
          if (type === "completed") results.set(job, (results.get(job) ?? 0) + 1);
        }
        for (const { id, phase } of world.stage.state.jobs.values()) {
          expect(["completed", "cancelled"]).toContain(phase.kind);
          expect(results.get(id) ?? 0).toBe(phase.kind === "completed" ? 1 : 0);
        }
        const closing = Promise.all(workers.map((worker) => worker.close()));
        await world.pass(1_000);
        await closing;
      }),
      { numRuns: 60 },
    );
  });

  it("claim what is new to them, and not again what they were told is gone, however often they hear of other things", async () => {
    const world = new World(chance(1));
    const { ports, claims } = watched(world);
    const start = () => world.stage.command("ann", "start", { title: "t" });
    start();
    const behind = world.stage.state;
    world.stage.command("other", "claim", { worker: "other", lease: 60_000 });
    const worker = new JobWorker({ ...ports, jobs: () => ({ ...behind }) }, { run: () => undefined });
    for (let times = 0; times < 50; times++) {
      world.changed();
      await world.pass(100);
    }
    expect(claims).toHaveLength(1);
    const closing = worker.close();
    await world.pass(1_000);
    await closing;
  });

  it("that hear of what they got when it is lost already ask less and less often", async () => {
    const world = new World(chance(2));
    const { ports, claims } = watched(world);
    for (let jobs = 0; jobs < 50; jobs++) world.stage.command("ann", "start", { title: "t", retries: 100 });
    const behind = world.stage.state;
    const worker = new JobWorker({ ...ports, jobs: () => behind }, { lease: 1_000, run: () => undefined });
    await world.pass(120_000);
    expect(claims.length).toBeGreaterThan(3);
    expect(claims.length).toBeLessThan(12);
    const closing = worker.close();
    await world.pass(1_000);
    await closing;
  });
});

/** The ports of a worker, and the claims that it sends. */
function watched(world: World): { readonly ports: WorkPorts; readonly claims: readonly unknown[] } {
  const claims: unknown[] = [];
  const ports = world.ports("bot");
  const send: WorkPorts["send"] = (command, input) => {
    if (command === "claim") claims.push(input);
    return ports.send(command, input);
  };
  return { ports: { ...ports, send }, claims };
}
