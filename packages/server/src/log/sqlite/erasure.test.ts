import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, expect, it } from "vitest";
import { attempt, producerId, stored } from "../contract/attempt.contract.ts";
import type { Log, ModelAppend } from "../log.ts";
import { createSqliteLog } from "./sqlite.ts";

let folder: string;
let file: string;
let log: Log;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tandem-erasure-"));
  file = join(folder, "log.db");
  log = await createSqliteLog({ file, runtime: systemRuntime() });
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Which of these texts stand anywhere in any of the log's files. */
function found(texts: readonly string[]): string[] {
  const content = readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
  return texts.filter((text) => content.some((bytes) => bytes.includes(text)));
}

const secret = (channel: number, seq: number) =>
  `secret-${channel}-${seq}-${"s".repeat((channel * 7 + seq * 13) % 300)}.`;

/** Fills several channels in turns, so that their pages are split and joined. */
async function fill(channels: number, seqs: number): Promise<void> {
  for (let seq = 1; seq <= seqs; seq++) {
    await stored(
      log,
      Array.from({ length: channels }, (_, channel) =>
        attempt({
          channel: `acme/room:${channel}`,
          producer: producerId("a"),
          seq,
          data: [JSON.stringify(secret(channel, seq))],
        }),
      ),
    );
  }
}

it("a redacted payload is in no file any more, wherever its pages were moved", async () => {
  await fill(12, 80);
  await log.trim("acme/room:3", { count: 20 });
  await log.trim("acme/room:7", { count: 5 });
  const erased: string[] = [];
  for (let channel = 0; channel < 12; channel++) {
    for (let seq = channel + 1; seq <= 80; seq += 7) {
      if (await log.redact(`acme/room:${channel}`, seq)) erased.push(secret(channel, seq));
    }
  }
  expect(erased.length).toBeGreaterThan(100);
  expect(found([secret(1, 1)])).toEqual([secret(1, 1)]);
  expect(found(erased)).toEqual([]);
});

it("trimmed and removed payloads are in the file no more once the log is closed", async () => {
  await fill(6, 60);
  await log.trim("acme/room:1", { count: 10 });
  await log.remove("acme/room:2");
  await log.close();
  const gone = Array.from({ length: 60 }, (_, index) => secret(2, index + 1));
  for (let seq = 1; seq <= 50; seq++) gone.push(secret(1, seq));
  expect(found([secret(1, 51)])).toHaveLength(1);
  expect(found(gone)).toEqual([]);
});

it("M4: a destroyed key is in no file any more, whether by a command, by another key of its name, or with its channel", async () => {
  const keyOf = (channel: number, index: number) =>
    `key-${channel}-${index}-${"k".repeat((channel * 7 + index * 13) % 90)}.`;
  const model = (channel: number, seq: number, create: ModelAppend["keys"]) =>
    attempt({
      channel: `acme/vote:${channel}`,
      seq,
      data: [],
      model: { name: "vote", expect: "", decision: "first", deadline: undefined, keys: create },
    });
  const channels = Array.from({ length: 10 }, (_, channel) => channel);
  const names = Array.from({ length: 60 }, (_, index) => index);
  for (const index of names) {
    await stored(
      log,
      channels.map((channel) =>
        model(channel, index + 1, { create: [{ name: `b${index}`, key: keyOf(channel, index) }], destroy: [] }),
      ),
    );
  }
  const gone: string[] = [];
  for (const channel of channels.slice(2)) {
    const destroyed = names.filter((index) => index % 7 === channel % 7);
    gone.push(...destroyed.map((index) => keyOf(channel, index)));
    await stored(log, [model(channel, 61, { create: [], destroy: destroyed.map((index) => `b${index}`) })]);
  }
  expect(found(gone)).toEqual([]);
  await stored(log, [model(1, 61, { create: [{ name: "b5", key: "another" }], destroy: [] })]);
  expect(found([keyOf(1, 5)])).toEqual([]);
  await log.remove("acme/vote:0");
  expect(found(names.map((index) => keyOf(0, index)))).toEqual([]);
  const kept = names.filter((index) => index !== 5).map((index) => keyOf(1, index));
  expect(found(kept)).toEqual(kept);
});

it("what a killed process had erased and not yet emptied goes when the log is opened again", async () => {
  await fill(1, 20);
  const reader = new DatabaseSync(file, { readOnly: true });
  reader.exec("BEGIN; SELECT count(*) FROM message_log");
  await log.redact("acme/room:0", 4);
  const killed = join(folder, "killed");
  mkdirSync(killed);
  for (const end of ["", "-wal"]) copyFileSync(file + end, join(killed, `log.db${end}`));
  reader.close();
  await log.close();
  for (const name of readdirSync(folder)) if (name.startsWith("log.db")) rmSync(join(folder, name));
  const inKilled = () =>
    readdirSync(killed).filter((name) => readFileSync(join(killed, name), "latin1").includes(secret(0, 4)));
  expect(inKilled()).not.toEqual([]);
  log = await createSqliteLog({ file: join(killed, "log.db"), runtime: systemRuntime() });
  await expect.poll(inKilled, { timeout: 20_000 }).toEqual([]);
});

it("a payload goes from the write-ahead log once a reader that was in the way is gone", async () => {
  await fill(1, 20);
  const reader = new DatabaseSync(file, { readOnly: true });
  reader.exec("BEGIN; SELECT count(*) FROM message_log");
  expect(await log.redact("acme/room:0", 4)).toBe(true);
  expect(found([secret(0, 4)])).toHaveLength(1);
  reader.close();
  await expect.poll(() => found([secret(0, 4)]), { timeout: 20_000 }).toEqual([]);
});
