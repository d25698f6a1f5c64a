import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { attempt } from "../contract/attempt.contract.ts";
import { DEFAULT_LOG_BOUNDS } from "../log.ts";
import type { SnapshotHead } from "../model-log.ts";
import { Committer } from "./committer.ts";
import { openToWrite } from "./database.ts";
import { ModelHistory } from "./model-history.ts";
import { addPiece, beginSnapshot, endSnapshot } from "./snapshot-rows.ts";
import type { Opened, Upkeep } from "./upkeep.ts";

const ROOM = "acme/room:1";
let folder: string;
let opened: Opened;
const open = () => opened;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-snapshots-"));
  const database = openToWrite(join(folder, "log.db"));
  opened = { database, committer: new Committer(database, DEFAULT_LOG_BOUNDS) };
});
afterEach(() => {
  opened.database.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Goes through with a long job. */
function finish<T>(upkeep: Upkeep<T>): T {
  for (;;) {
    const { done, value } = upkeep.next();
    if (done) return value;
  }
}

/** Where a snapshot stands after one more event. */
function headAfter(seq: number): SnapshotHead {
  const { committer } = opened;
  committer.transaction(() => committer.append(attempt({ seq })));
  const { epoch, offset, tag } = committer.head(ROOM);
  return { channel: ROOM, model: "votes", version: 1, position: { epoch, offset, tag }, tag: "" };
}

/** Stores all pieces of a snapshot that was begun, but does not end it. */
function begun(head: SnapshotHead, pieces: number): number {
  const snapshot = finish(beginSnapshot(open, head)) as number;
  for (let index = 0; index < pieces; index++) finish(addPiece(open, { snapshot, index, piece: "1" }));
  return snapshot;
}

it("M5: what clears away older snapshots leaves alone the one that is begun meanwhile", () => {
  const heads = [1, 2, 3].map((seq) => headAfter(seq));
  const [first, second, third] = heads as [SnapshotHead, SnapshotHead, SnapshotHead];
  for (const head of [first, second]) {
    finish(endSnapshot(open, { head, snapshot: begun(head, 100), pieces: 100 }));
  }
  const ending = endSnapshot(open, { head: third, snapshot: begun(third, 0), pieces: 0 });
  for (let steps = 0; steps < 3; steps++) expect(ending.next().done).toBe(false);
  const history = new ModelHistory(opened.database);
  expect(history.snapshots(ROOM, "votes")).toMatchObject([
    { ...third, pieces: 0 },
    { ...second, pieces: 100 },
  ]);
  const fourth = headAfter(4);
  const snapshot = begun(fourth, 1);
  finish(ending);
  expect(finish(addPiece(open, { snapshot, index: 1, piece: "2" }))).toBe(true);
  finish(endSnapshot(open, { head: fourth, snapshot, pieces: 2 }));
  expect(history.snapshots(ROOM, "votes")).toMatchObject([
    { ...fourth, pieces: 2 },
    { ...third, pieces: 0 },
  ]);
  expect([0, 1, 2].map((index) => history.piece(fourth, index))).toEqual(["1", "2", undefined]);
});

it("M5: one that is begun makes an end of an unfinished one: its pieces are not wanted any more", () => {
  const head = headAfter(1);
  const left = begun(head, 20);
  const snapshot = begun(head, 1);
  expect(finish(addPiece(open, { snapshot: left, index: 20, piece: "1" }))).toBe(false);
  finish(endSnapshot(open, { head, snapshot: left, pieces: 20 }));
  expect(new ModelHistory(opened.database).snapshots(ROOM, "votes")).toEqual([]);
  finish(endSnapshot(open, { head, snapshot, pieces: 1 }));
  expect(new ModelHistory(opened.database).snapshots(ROOM, "votes")).toEqual([{ ...head, pieces: 1 }]);
});
