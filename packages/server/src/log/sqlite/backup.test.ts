import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ALL, appendOne, attempt, attempts, eventsOf, producerId, stored } from "../contract/attempt.contract.ts";
import type { Log } from "../log.ts";
import { backupSqlite, restoreSqlite } from "./backup.ts";
import { createSqliteLog } from "./sqlite.ts";

const ROOM = "acme/room:1";
let folder: string;
let file: string;
let copy: string;
let open: Log[];

const openLog = async (path = file) => {
  const log = await createSqliteLog({ file: path, runtime: systemRuntime() });
  open.push(log);
  return log;
};

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-backup-"));
  file = join(folder, "data", "log.db");
  copy = join(folder, "backups", "monday.db");
  open = [];
});
afterEach(async () => {
  for (const log of open) await log.close();
  rmSync(folder, { recursive: true, force: true });
});

describe("backup", () => {
  it("copies a log while it is written, as it was at one moment", async () => {
    const log = await openLog();
    const data = [`"${"x".repeat(2_000)}"`];
    await stored(log, attempts(1, 2_000, { data }));
    let running = true;
    const writing = (async () => {
      for (let seq = 2_001; running; seq++) await stored(log, attempts(seq, seq, { data }));
    })();
    const shares: number[] = [];
    await backupSqlite(file, copy, (share) => shares.push(share));
    running = false;
    await writing;
    expect(shares.length).toBeGreaterThan(1);
    expect(shares).toEqual(shares.toSorted((a, b) => a - b));
    expect(shares.at(-1)).toBe(1);
    expect(readdirSync(join(folder, "backups"))).toEqual(["monday.db"]);
    const backup = await openLog(copy);
    const copied = await eventsOf(backup);
    expect(copied.length).toBeGreaterThanOrEqual(2_000);
    expect((await eventsOf(log)).slice(0, copied.length)).toEqual(copied);
  });

  it("overwrites nothing, and says when there is no log", async () => {
    await openLog();
    writeFileSync(join(folder, "mine"), "mine");
    await expect(backupSqlite(file, join(folder, "mine"))).rejects.toThrow("is there already");
    expect(readFileSync(join(folder, "mine"), "utf8")).toBe("mine");
    await expect(backupSqlite(join(folder, "none.db"), copy)).rejects.toThrow("There is no log file");
    expect(existsSync(copy)).toBe(false);
  });
});

describe("a copy that fails", () => {
  it("leaves nothing behind: a disk that it has filled has its room again", async () => {
    const log = await openLog();
    await stored(log, attempts(1, 3));
    await log.close();
    const database = new DatabaseSync(file);
    database.exec("UPDATE channels SET count = count + 1");
    database.close();
    await expect(backupSqlite(file, copy)).rejects.toThrow("damaged");
    expect(readdirSync(join(folder, "backups"))).toEqual([]);
    await expect(restoreSqlite(file, join(folder, "other", "log.db"))).rejects.toThrow("damaged");
    expect(readdirSync(join(folder, "other"))).toEqual(["log.db.lock"]);
  });
});

describe("a log of an older format", () => {
  it("is copied as it is, and restored: the server brings it up to date", async () => {
    const log = await openLog();
    await stored(log, attempts(1, 3));
    await log.close();
    const older = new DatabaseSync(file);
    older.exec(
      "DROP TABLE ws_subscriptions; DROP TABLE ws_subscribers; DROP TABLE models; DROP TABLE fences; DROP TABLE fence_floors",
    );
    older.exec("DROP TABLE sealing_keys; DROP TABLE snapshots; DROP TABLE snapshot_pieces; PRAGMA user_version = 1");
    older.close();
    await backupSqlite(file, copy);
    const restored = join(folder, "restored", "log.db");
    await restoreSqlite(copy, restored);
    expect(await eventsOf(await openLog(restored))).toHaveLength(3);
  });
});

describe("restore", () => {
  it("puts the backup in place, keeps what was there, and tells a reader who is ahead", async () => {
    const before = await openLog();
    const kept = await stored(before, attempts(1, 3));
    await backupSqlite(file, copy);
    const lost = await stored(before, attempts(4, 6));
    await before.close();
    const aside = await restoreSqlite(copy, file);

    const after = await openLog();
    expect(await eventsOf(after)).toHaveLength(3);
    expect(await after.read(ROOM, kept, ALL)).toMatchObject({ kind: "run", events: [] });
    expect(await after.read(ROOM, lost, ALL)).toMatchObject({ kind: "reset", reason: "ahead" });
    expect(await appendOne(after, { seq: 3 })).toMatchObject({ kind: "settled" });
    // History grows past where the reader was: it is another history.
    await stored(after, attempts(1, 4, { producer: producerId("b") }));
    expect(await after.read(ROOM, lost, ALL)).toMatchObject({ kind: "reset", reason: "rewritten" });

    const old = await openLog(aside);
    expect(await eventsOf(old)).toHaveLength(6);
  });

  it("keeps what a killed server had only in its write-ahead log", async () => {
    const log = await openLog();
    await stored(log, attempts(1, 2));
    await backupSqlite(file, copy);
    await stored(log, attempts(3, 3));
    // As after kill -9: the files as they lie, and no one holds them.
    const killed = join(folder, "killed.db");
    for (const end of ["", "-wal"]) writeFileSync(killed + end, readFileSync(file + end));
    const aside = await restoreSqlite(copy, killed);
    expect(await eventsOf(await openLog(killed))).toHaveLength(2);
    expect(await eventsOf(await openLog(aside))).toHaveLength(3);
  });

  it("makes a log where there was none", async () => {
    await stored(await openLog(), [attempt()]);
    await backupSqlite(file, copy);
    const fresh = join(folder, "fresh", "log.db");
    expect(await restoreSqlite(copy, fresh)).toBeUndefined();
    expect(await eventsOf(await openLog(fresh))).toHaveLength(1);
  });

  it("refuses while a server has the log open, and a backup that is no good, and changes nothing", async () => {
    const log = await openLog();
    await stored(log, attempts(1, 500));
    await backupSqlite(file, copy);
    await expect(restoreSqlite(copy, file)).rejects.toThrow("in use");
    await log.close();
    const broken = join(folder, "broken.db");
    const bytes = readFileSync(copy);
    writeFileSync(broken, bytes.fill(0x55, 8_192, 20_480));
    await expect(restoreSqlite(broken, file)).rejects.toMatchObject({
      code: "storage-unavailable",
      message: expect.stringContaining("damaged"),
    });
    await expect(restoreSqlite(join(folder, "none.db"), file)).rejects.toThrow("There is no log file");
    writeFileSync(broken, "not a database, and long enough to be taken for a file with a header".repeat(100));
    await expect(restoreSqlite(broken, file)).rejects.toThrow("damaged");
    expect(await eventsOf(await openLog())).toHaveLength(500);
  });

  it("does not start on a log whose restore was cut off, and goes through when it is run again", async () => {
    const log = await openLog();
    await stored(log, attempts(1, 2));
    await backupSqlite(file, copy);
    await stored(log, attempts(3, 3));
    await log.close();
    writeFileSync(`${file}.restoring`, readFileSync(copy));
    await expect(openLog()).rejects.toThrow("was cut off. Run it again");
    await restoreSqlite(copy, file);
    expect(await eventsOf(await openLog())).toHaveLength(2);
  });
});
