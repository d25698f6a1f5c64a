import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Worker } from "node:worker_threads";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  ALL,
  appendOne,
  attempt,
  attempts,
  eventsOf,
  offsetsOf,
  producerId,
  stored,
} from "../contract/attempt.contract.ts";
import type { Log } from "../log.ts";
import type { SqliteLogOptions } from "./sqlite.ts";
import { createSqliteLog } from "./sqlite.ts";

const ROOM = "acme/room:1";
let folder: string;
let log: Log;
let started: { worker: Worker; name: string }[];
let errors: string[];

const newest = (name: string) => started.findLast((thread) => thread.name === name)?.worker as Worker;

const openLog = async (options: Partial<SqliteLogOptions> = {}) => {
  log = await createSqliteLog({
    file: join(folder, "log.db"),
    runtime: systemRuntime({ ...silentLogger, error: (_, message) => errors.push(message) }),
    onWorker: (worker, name) => started.push({ worker, name }),
    ...options,
  });
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-threads-"));
  started = [];
  errors = [];
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("the log's threads", () => {
  it("G1 G2: the committing one may die under appends: each takes effect once", async () => {
    await openLog();
    const answers: Promise<unknown>[] = [];
    let seq = 0;
    for (let death = 0; death < 4; death++) {
      for (let turn = 0; turn < 20; turn++) {
        for (let count = 0; count < 20; count++) answers.push(log.append([attempt({ seq: ++seq })]));
        if (turn === 10) void newest("writer").terminate();
        await new Promise((resolve) => setImmediate(resolve));
      }
      // What was answered by then proves that it is up again.
      await answers.at(-1);
    }
    const results = (await Promise.all(answers)).flat() as { kind: string }[];
    expect(results.every(({ kind }) => kind === "committed" || kind === "settled")).toBe(true);
    expect(offsetsOf(await eventsOf(log))).toEqual(Array.from({ length: seq }, (_, index) => index + 1));
    expect(started.filter(({ name }) => name === "writer")).toHaveLength(5);
    expect(errors).toEqual(Array(4).fill("a thread of the log ended; it is started again"));
    expect(log.health()).toEqual({ writable: true });
  });

  it("the reading one may die under reads: each is answered", async () => {
    await openLog();
    await stored(log, attempts(1, 300));
    const reads = Array.from({ length: 50 }, (_, index) => log.read(ROOM, index, ALL));
    void newest("reader").terminate();
    const results = await Promise.all(reads);
    expect(results.map((result) => result.kind === "run" && result.events.length)).toEqual(
      Array.from({ length: 50 }, (_, index) => 300 - index),
    );
    expect(started.filter(({ name }) => name === "reader")).toHaveLength(2);
  });

  it("both may die, and close while they are down", async () => {
    await openLog();
    await stored(log, [attempt()]);
    await Promise.all([newest("reader").terminate(), newest("writer").terminate()]);
    const [append, read] = [log.append([attempt({ seq: 2 })]), log.read(ROOM, 0, ALL)];
    await log.close();
    expect((await append)[0]).toMatchObject({ kind: "committed" });
    expect(await read).toMatchObject({ kind: "run" });
    await openLog();
    expect(await eventsOf(log)).toHaveLength(2);
  });

  it("G11: bound what waits to be stored, by number and by size, and what waits to be read", async () => {
    await openLog({ queue: { appends: 10, bytes: 1_000 }, reads: 5 });
    const overloaded = { code: "overloaded", retryAfter: 100 };
    const first = log.append(attempts(1, 10));
    await expect(log.append([attempt({ seq: 11 })])).rejects.toMatchObject(overloaded);
    await first;
    const large = log.append([attempt({ seq: 11, data: [`"${"x".repeat(900)}"`] })]);
    await expect(log.append([attempt({ seq: 12, data: [`"${"x".repeat(200)}"`] })])).rejects.toMatchObject(overloaded);
    await large;
    // More than the bound in one batch passes when nothing else waits: it could never otherwise.
    await stored(log, attempts(12, 40));
    const reads = Array.from({ length: 6 }, () => log.read(ROOM, 0, ALL));
    await expect(reads.pop()).rejects.toMatchObject(overloaded);
    await Promise.all(reads);
    expect(await log.read(ROOM, 0, ALL)).toMatchObject({ kind: "run" });
  });

  it("an append that cannot be stored for a reason of its own fails alone", async () => {
    await openLog();
    const bad = attempt({ producer: producerId("b"), now: Number.NaN });
    const calls = [
      log.append([attempt()]),
      log.append([attempt({ seq: 2 }), bad]),
      log.append([attempt({ seq: 2, data: ["1", "2"] })]),
    ];
    const [one, two, three] = await Promise.allSettled(calls);
    expect(one).toMatchObject({ status: "fulfilled", value: [{ kind: "committed", offset: 1 }] });
    expect(two).toMatchObject({ status: "rejected", reason: { code: "internal" } });
    expect(three).toMatchObject({ status: "fulfilled", value: [{ kind: "committed", offset: 2 }] });
    expect(await appendOne(log, { seq: 3 })).toMatchObject({ kind: "committed", offset: 4 });
    expect(log.health()).toEqual({ writable: true });
  });

  it("takes notice when a person has changed the file meanwhile", async () => {
    await openLog();
    await stored(log, attempts(1, 3));
    const person = new DatabaseSync(join(folder, "log.db"));
    person.exec(`DELETE FROM message_log WHERE "offset" = 3`);
    person.exec(`UPDATE channels SET "offset" = 2, count = 2, tag = (SELECT tag FROM message_log WHERE "offset" = 2)`);
    person.close();
    expect(await appendOne(log, { seq: 4 })).toMatchObject({ kind: "committed", offset: 3 });
  });

  it("appends go on while a long history is trimmed and removed", async () => {
    await openLog();
    for (let seq = 1; seq <= 20_000; seq += 2_000) await stored(log, attempts(seq, seq + 1_999));
    const done: string[] = [];
    const trimming = log.trim(ROOM, { count: 10 }).then(() => done.push("trimmed"));
    const appending = stored(log, [attempt({ channel: "acme/room:2" })]).then(() => done.push("appended"));
    await Promise.all([trimming, appending]);
    expect(done).toEqual(["appended", "trimmed"]);
    expect(offsetsOf(await eventsOf(log))).toHaveLength(10);
    await log.remove(ROOM);
    expect(await eventsOf(log)).toEqual([]);
  });
});
