import type { ChildProcess } from "node:child_process";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { appendOne, attempt, attempts, eventsOf, NOW, stored } from "../contract/attempt.contract.ts";
import type { Log } from "../log.ts";
import { backupSqlite } from "./backup.ts";
import { PUBLISHER, publishUnder, STRACE } from "./faults/tracing.fixture.ts";
import type { SqliteLogOptions } from "./sqlite.ts";
import { createSqliteLog } from "./sqlite.ts";

const ROOM = "acme/room:1";
/** What formats from 3 on have brought. */
const MODEL_TABLES = ["models", "fences", "fence_floors", "sealing_keys", "snapshots", "snapshot_pieces"];
let folder: string;
let file: string;
let open: Log[];
let children: ChildProcess[];

const openLog = async (options: Partial<SqliteLogOptions> = {}) => {
  const log = await createSqliteLog({ file, runtime: systemRuntime(), ...options });
  open.push(log);
  return log;
};

/** A closed log with some content. */
const makeLog = async (appends = 3) => {
  const log = await openLog();
  await stored(log, attempts(1, appends, { data: [`"${"x".repeat(500)}"`] }));
  await log.close();
};

/** Changes the closed file as a person might. */
const change = (sql: string) => {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
};

const opening = () =>
  openLog().then(
    () => "opened",
    (error: Error) => error,
  );

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-file-"));
  file = join(folder, "data", "log.db");
  open = [];
  children = [];
});
afterEach(async () => {
  for (const child of children) child.kill("SIGKILL");
  for (const log of open) await log.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Starts the publisher on the file in a process of its own, and waits until it has been answered a while. */
async function publisher() {
  const output = join(folder, "said");
  const said = openSync(output, "w");
  const child = spawn(process.execPath, [PUBLISHER, file, "8", "8", "1000000000"], {
    stdio: ["ignore", said, "inherit"],
  });
  children.push(child);
  closeSync(said);
  const answers = () => [...readFileSync(output, "utf8").matchAll(/^ack (\S+) (\d+)$/gm)];
  await expect.poll(() => answers().length, { timeout: 25_000 }).toBeGreaterThan(500);
  return {
    kill: async () => {
      child.kill("SIGKILL");
      await once(child, "close");
      return answers().map(([, token, offset]) => ({ token, offset: Number(offset) }));
    },
  };
}

describe("the log file", () => {
  it("is found again as it was left", async () => {
    const log = await openLog();
    const position = await stored(log, attempts(1, 3));
    await log.redact(ROOM, 2);
    await log.saveConsumer({ name: "mailer", channel: ROOM, position });
    const [events, heads] = [await eventsOf(log), await log.heads([ROOM])];
    await log.close();
    const again = await openLog();
    expect(await eventsOf(again)).toEqual(events);
    expect(await again.heads([ROOM])).toEqual(heads);
    expect(await again.loadConsumer("mailer", ROOM)).toEqual(position);
    expect(await appendOne(again, { seq: 3 })).toMatchObject({ kind: "settled", outcome: { position } });
    await stored(again, [attempt({ seq: 4 })]);
  });

  it("keeps who follows what, also where an older format had no place for it", async () => {
    const log = await openLog();
    const position = await stored(log, attempts(1, 3));
    await log.close();
    const older = new DatabaseSync(file);
    for (const table of ["ws_subscriptions", "ws_subscribers", ...MODEL_TABLES]) older.exec(`DROP TABLE ${table}`);
    older.exec("PRAGMA user_version = 1");
    older.close();
    const ada = { tenant: "acme", user: "ada" };
    const migrated = await openLog();
    expect(await migrated.heads([ROOM])).toMatchObject([position]);
    expect(await migrated.follow(ada, "room:1", 0, 9, 1)).toMatchObject({ kind: "done" });
    expect(await migrated.follow(ada, "room:2", 1, 9, 1)).toMatchObject({ kind: "done" });
    await migrated.unfollow(ada, "room:1", 2);
    await migrated.close();
    const again = await openLog();
    expect(await again.following(ada)).toEqual({ version: 3, channels: ["room:2"] });
  });

  it("keeps what models have beside their events, through a backup too", async () => {
    const log = await openLog();
    const [name, fence, key] = ["votes", { name: "votes/a", token: 4 }, { name: "one", key: "k" }];
    const keys = { create: [key], destroy: [] };
    const position = await stored(log, [
      attempt({ model: { name, expect: "", decision: "first", deadline: NOW, fences: [fence], keys } }),
    ]);
    const head = { channel: ROOM, model: name, version: 3, position, tag: position.tag };
    await log.saveSnapshot(head, ["1", "2"]);
    const copy = join(folder, "copy.db");
    await backupSqlite(file, copy);
    await log.close();
    for (const path of [file, copy]) {
      const again = await openLog({ file: path });
      expect(await again.deadlines(9)).toEqual([{ channel: ROOM, model: name, at: NOW }]);
      expect((await again.keys(ROOM, name)).keys).toEqual([key]);
      expect(await again.snapshots(ROOM, name)).toEqual([{ ...head, pieces: 2 }]);
      expect(await again.snapshotPiece(head, 1)).toBe("2");
      const model = { name, expect: "", decision: "first", deadline: undefined };
      expect(await appendOne(again, { seq: 2, model })).toEqual({ kind: "conflict", tag: position.tag });
      await stored(again, [attempt({ seq: 2, model: { ...model, expect: position.tag }, fence })]);
    }
  });

  it("M3: keeps a row for a lock as long as it is held, and one for all others of a model", async () => {
    const rows = () => {
      const database = new DatabaseSync(file, { readOnly: true });
      const [held, floors] = ["fences", "fence_floors"].map((table) =>
        database.prepare(`SELECT * FROM ${table}`).all(),
      );
      database.close();
      return { held, floors };
    };
    const log = await openLog();
    const held = [1, 3, 5].map((token) => ({ name: `jobs/${token}`, token }));
    const over = [2, 4].map((token) => ({ name: `jobs/${token - 1}`, token, free: true }));
    const model = { name: "jobs", expect: "", decision: "first", deadline: undefined };
    await stored(log, [attempt({ data: [], model: { ...model, fences: held } })]);
    await stored(log, [attempt({ seq: 2, data: [], model: { ...model, fences: over } })]);
    expect(rows()).toEqual({
      held: [{ channel: 1, name: "jobs/5", token: 5 }],
      floors: [{ channel: 1, model: "jobs", token: 4 }],
    });
    await log.remove(ROOM);
    expect(rows()).toEqual({ held: [], floors: [{ channel: 1, model: "jobs", token: 5 }] });
  });

  it("M5: a snapshot that was not finished is cleared at the next one of its model, and at the start", async () => {
    const pieces = () => {
      const database = new DatabaseSync(file, { readOnly: true });
      const rows = database.prepare("SELECT snapshot FROM snapshot_pieces ORDER BY snapshot, piece").all();
      database.close();
      return rows.map(({ snapshot }) => snapshot);
    };
    const log = await openLog();
    const position = await stored(log, [attempt()]);
    const head = { channel: ROOM, model: "votes", version: 1, position, tag: "" };
    const cutOff = function* (count: number) {
      for (let made = 0; made < count; made++) yield String(made);
      throw new Error("cut off");
    };
    await expect(log.saveSnapshot(head, cutOff(50))).rejects.toThrow("cut off");
    expect(pieces()).toEqual(Array(50).fill(1));
    await expect(log.saveSnapshot({ ...head, model: "board" }, cutOff(2))).rejects.toThrow("cut off");
    await log.saveSnapshot(head, ["1", "2"]);
    expect(pieces()).toEqual([2, 2, 3, 3]);
    await expect(log.saveSnapshot({ ...head, model: "board" }, cutOff(40))).rejects.toThrow("cut off");
    await log.close();
    await openLog();
    await expect.poll(pieces).toEqual([3, 3]);
  });

  it("M5: of two snapshots of a model that are stored at once, the later begun counts", async () => {
    const log = await openLog();
    const [first, second] = [await stored(log, [attempt()]), await stored(log, [attempt({ seq: 2 })])];
    const head = { channel: ROOM, model: "votes", version: 1, tag: "" };
    const many = (letter: string) => Array.from({ length: 40 }, (_, index) => `"${letter}${index}"`);
    await Promise.all([
      log.saveSnapshot({ ...head, position: first }, many("a")),
      log.saveSnapshot({ ...head, position: second }, many("b")),
    ]);
    const [found, ...others] = await log.snapshots(ROOM, "votes");
    expect([found?.position, others]).toEqual([second, []]);
    for (const [index, piece] of many("b").entries()) {
      expect(await log.snapshotPiece({ ...head, position: second }, index)).toBe(piece);
    }
    expect(await log.snapshotPiece({ ...head, position: second }, 40)).toBeUndefined();
  });

  it("G1: has every answered append after kill -9, once", async () => {
    const process = await publisher();
    const answered = await process.kill();
    const log = await openLog();
    const at = new Map<string, number[]>();
    for (const { channel } of await log.channels(undefined, 100)) {
      for (const { data, offset } of (await log.page(channel, undefined, 1e6)).events) {
        at.set(JSON.parse(data ?? ""), [...(at.get(JSON.parse(data ?? "")) ?? []), offset]);
      }
    }
    expect(answered.length).toBeGreaterThan(500);
    for (const { token, offset } of answered) expect(at.get(token ?? "")).toEqual([offset]);
    expect([...at.values()].every((offsets) => offsets.length === 1)).toBe(true);
  });

  it.skipIf(STRACE === undefined && process.env.CI === undefined)(
    "G1: makes what a killed process left in the write-ahead log durable before it answers from it",
    async () => {
      await (await publisher()).kill();
      const left = readFileSync(`${file}-wal`);
      expect(left.length).toBeGreaterThan(0);
      const { calls } = await publishUnder("fsync:delay_exit=1", folder, file, [1, 1, 1]);
      const opened = calls.findIndex(({ name, args }) => name === "write" && args.includes('"open'));
      const before = calls.slice(0, opened).filter(({ args }) => args.includes("log.db-wal>"));
      const synced = before.findIndex(({ name, result }) => name === "fdatasync" && /^0\b/.test(result));
      const rewritten = before.slice(0, synced).filter(({ name }) => name === "pwrite64");
      expect(rewritten.reduce((bytes, { result }) => bytes + Number(result), 0)).toBe(left.length);
    },
  );

  it("has one writer: a second log, in this process or another, is refused at once", async () => {
    await openLog();
    const sentence = expect.objectContaining({
      code: "storage-unavailable",
      message: expect.stringContaining(`The log ${file} is in use by another server`),
    });
    expect(await opening()).toEqual(sentence);
    file = join(folder, "other.db");
    const process = await publisher();
    expect(await opening()).toMatchObject({ message: expect.stringContaining("in use") });
    await process.kill();
    expect(await opening()).toBe("opened");
  });

  it("can be read beside the one who writes it", async () => {
    const log = await openLog();
    await stored(log, [attempt()]);
    const reader = await openLog({ readOnly: true });
    expect(await eventsOf(reader)).toHaveLength(1);
    await stored(log, [attempt({ seq: 2 })]);
    expect(await eventsOf(reader)).toHaveLength(2);
    expect(reader.health()).toMatchObject({ writable: false });
    await expect(reader.append([attempt({ seq: 3 })])).rejects.toMatchObject({ code: "storage-unavailable" });
    await expect(reader.trim(ROOM, {})).rejects.toMatchObject({ code: "storage-unavailable" });
    // A reader that comes and goes takes no lock with it.
    await reader.close();
    expect(await opening()).toMatchObject({ message: expect.stringContaining("in use") });
  });

  it("can be read by people", async () => {
    await makeLog(1);
    const database = new DatabaseSync(file, { readOnly: true });
    const row = database.prepare("SELECT * FROM messages WHERE channel = ?").get(ROOM);
    database.close();
    expect(row).toMatchObject({ channel: ROOM, offset: 1, time: "2025-06-15 15:06:40", type: "said", author: "ann" });
  });

  it("of a newer version is refused with what to do", async () => {
    await makeLog();
    change("PRAGMA user_version = 99");
    expect(await opening()).toMatchObject({
      code: "storage-unavailable",
      message: expect.stringMatching(
        /log\.db was written by a newer Tandem \(format 99; .*Start the newer version, or/,
      ),
    });
  });

  it("of another program is refused and left alone", async () => {
    await makeLog();
    change("PRAGMA application_id = 0; PRAGMA user_version = 3");
    expect(await opening()).toMatchObject({ message: expect.stringContaining("is a database of another program") });
    file = join(folder, "notes.txt");
    writeFileSync(file, "These are my notes. ".repeat(100));
    expect(await opening()).toMatchObject({ message: expect.stringContaining("damaged") });
    expect(readFileSync(file, "utf8")).toBe("These are my notes. ".repeat(100));
  });

  const damage: [string, () => void][] = [
    ["overwritten pages", () => writeFileSync(file, readFileSync(file).fill(0x55, 8_192, 30_000))],
    ["a torn end", () => truncateSync(file, 40_000)],
    ["a message that is gone", () => change(`DELETE FROM message_log WHERE "offset" = 300`)],
    ["a tag that is another", () => change(`UPDATE channels SET tag = 'AAAAAAAA'`)],
    ["a head that fell back", () => change(`UPDATE channels SET "offset" = 299, count = 299`)],
  ];
  it.each(damage)("with %s is refused with what to do, and nothing is changed", async (_, harm) => {
    await makeLog(300);
    harm();
    const bytes = readFileSync(file);
    expect(await opening()).toMatchObject({
      code: "storage-unavailable",
      message: expect.stringMatching(/The log file .*log\.db is damaged: .*tandem restore BACKUP /),
    });
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  it("keeps outcomes when their number is configured anew", async () => {
    const log = await openLog({ bounds: { outcomes: 4 } });
    await stored(log, attempts(1, 9));
    await log.close();
    const wider = await openLog({ bounds: { outcomes: 7 } });
    const kinds = async (log: Log) => (await log.append(attempts(1, 9))).map((result) => result.kind[0]).join("");
    expect(await kinds(wider)).toBe("uuuuussss");
    await stored(wider, attempts(10, 10));
    await wider.close();
    expect(await kinds(await openLog({ bounds: { outcomes: 2 } }))).toBe("uuuuuuuus");
  });
});
