import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createClient, model, signals } from "@tandem/client";
import type { Job } from "@tandem/model";
import { progressOf, timeLeft } from "@tandem/model";
import { createServer, mintToken } from "@tandem/server";
import { afterEach, expect, it } from "vitest";
import { desk, jobs } from "./desk.ts";

const SECRET = "a secret of more than thirty-two letters";
const WORKER = fileURLToPath(new URL("desk-worker.ts", import.meta.url));

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

/** Processes are started and leases waited for: on a machine that is busy that takes its time. */
const LONG = { timeout: 120_000 };

const soon = <T>(read: () => T) => expect.poll(read, { timeout: 60_000, interval: 20 });

async function place() {
  const data = mkdtempSync(join(tmpdir(), "tandem-jobs-"));
  ended.push(() => rmSync(data, { recursive: true, force: true }));
  const server = await createServer(desk, { data, secret: SECRET, port: 0 });
  ended.push(() => server.close());
  const { port } = await server.listen();
  const url = `ws://127.0.0.1:${port}/ws`;
  const grants = { "desk:*": ["read", "write", "presence", "signal"] } as const;
  const token = (user: string) => mintToken({ secret: SECRET, user, grants });
  return {
    server,
    client(user: string) {
      const client = createClient<typeof desk>({ url, token: () => token(user) });
      ended.push(() => client.close());
      return client;
    },
    /** A worker in a process of its own, by a service's token. */
    async worker(name: string) {
      const env = { PATH: process.env.PATH ?? "", URL_OF_SERVER: url, TOKEN: await token("renderer"), NAME: name };
      const child: ChildProcess = spawn(process.execPath, [WORKER], { env });
      const said = { out: "" };
      child.stdout?.on("data", (text) => {
        said.out += text;
      });
      child.stderr?.on("data", (text) => {
        said.out += text;
      });
      const gone = new Promise<void>((resolve) => child.on("close", () => resolve()));
      const kill = async () => {
        child.kill("SIGKILL");
        await gone;
      };
      ended.push(kill);
      await soon(() => said.out).toContain("ready");
      return { said, kill };
    },
  };
}

it(
  "G8: a worker killed in the middle of a job: clients see it stall, another goes on from its checkpoint, and there is one result",
  LONG,
  async () => {
    const { client, worker, server } = await place();
    const ada = client("ada");
    const room = ada.channel("desk", "1");
    const board = model(room, "jobs", jobs);
    const seen: { kind: string; progress: number }[] = [];
    const one = (): Job | undefined => {
      const state = board.state.get();
      return state.kind === "ready" ? [...state.value.jobs.values()][0] : undefined;
    };
    board.state.subscribe(() => {
      const job = one();
      if (job) seen.push({ kind: job.phase.kind, progress: job.progress });
    });
    const ticks = signals(room, "ticks");
    let signalled = 0;
    ticks.latest.subscribe(() => {
      const job = one();
      const values = [...ticks.latest.get().values()].map(({ data }) => data);
      if (job && progressOf(job, values) > job.progress) signalled++;
    });

    const first = await worker("first");
    const sent = await board.send("start", { title: "Render", input: { pages: 30, ms: 200 } }).settled;
    expect(sent).toMatchObject({ kind: "confirmed" });
    await soon(() => one()?.progress ?? 0).toBeGreaterThan(0.2);
    expect(timeLeft(one() as Job, Date.now())).toBeGreaterThan(0);
    const second = await worker("second");
    await first.kill();
    const left = one()?.progress ?? 0;

    await soon(() => one()?.phase.kind).toBe("stalled");
    // Who comes now sees all of it, too.
    const late = model(client("late").channel("desk", "1"), "jobs", jobs);
    await soon(() => one()?.phase.kind).toBe("completed");
    const result = { by: "second", from: expect.any(Number) };
    await soon(() => {
      const state = late.state.get();
      return state.kind === "ready" ? [...state.value.jobs.values()][0] : undefined;
    }).toMatchObject({ phase: { kind: "completed", result }, progress: 1, attempts: 2, failures: 1 });
    expect(second.said.out).toMatch(/took \S+ after page [1-9]/);
    expect(signalled).toBeGreaterThan(0);
    expect(seen.map(({ progress }) => progress)).toEqual(seen.map(({ progress }) => progress).sort((a, b) => a - b));

    // What is stored says the same: progress never goes back, and the end comes once.
    const { events } = await server.application().history("desk:1", { limit: 500 });
    const told = events.filter(({ type }) => type === "jobs.progressed");
    const steps = told.map(({ data }) => (data as { progress: number }).progress);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(steps.some((progress) => progress > left)).toBe(true);
    const kinds = events.map(({ type }) => type).filter((type) => !/progressed|renewed|logged/.test(type));
    expect(kinds).toEqual(
      ["started", "claimed", "stalled", "returned", "claimed", "completed"].map((kind) => `jobs.${kind}`),
    );
  },
);

it("a job that is cancelled by anybody who may is stopped by its worker", LONG, async () => {
  const { client, worker } = await place();
  const board = model(client("ada").channel("desk", "1"), "jobs", jobs);
  const one = (): Job | undefined => {
    const state = board.state.get();
    return state.kind === "ready" ? [...state.value.jobs.values()][0] : undefined;
  };
  await worker("only");
  board.send("start", { title: "Render", input: { pages: 100, ms: 100 } });
  await soon(() => one()?.phase.kind).toBe("running");
  const other = model(client("bob").channel("desk", "1"), "jobs", jobs);
  expect(await other.send("cancel", { job: one()?.id ?? "", reason: "not needed" }).settled).toMatchObject({
    kind: "confirmed",
  });
  await soon(() => one()?.phase).toMatchObject({ kind: "cancelled", by: "bob", reason: "not needed" });
});
