import type { DatabaseSync } from "node:sqlite";
import { UNBORN } from "../log.ts";
import type { SnapshotHead } from "../model-log.ts";
import { SNAPSHOTS } from "../model-log.ts";
import { resume } from "../resume.ts";
import type { ChannelRow } from "./channel-rows.ts";
import { headOf } from "./channel-rows.ts";
import type { Opened, Upkeep } from "./upkeep.ts";

/** Pieces that one transaction deletes. */
const CHUNK = 16;

/**
 * Begins to store a snapshot: it is not seen before `endSnapshot`. What an earlier one of its model left unfinished is cleared.
 *
 * @returns its id; `undefined` where it is not wanted
 */
export function* beginSnapshot(open: () => Opened, head: SnapshotHead): Upkeep<number | undefined> {
  yield* clearUnfinished(open, head);
  const { committer, database } = open();
  return committer.transaction(() => {
    const channel = committer.channels.find(head.channel);
    if (!channel || !isWanted(database, channel, head)) return undefined;
    const { model, version, position, tag } = head;
    const { lastInsertRowid } = database
      .prepare(
        `INSERT INTO snapshots (channel, model, version, epoch, "offset", tag, model_tag) VALUES (?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(channel.id, model, version, position.epoch, position.offset, position.tag, tag);
    return Number(lastInsertRowid);
  });
}

/** Stores a piece of a snapshot that was begun. @returns false when that is gone */
export function* addPiece(
  open: () => Opened,
  { snapshot, index, piece }: { readonly snapshot: number; readonly index: number; readonly piece: string },
): Upkeep<boolean> {
  // Appends that wait go first.
  yield;
  const { committer, database } = open();
  return committer.transaction(() => {
    const { changes } = database
      .prepare(
        `REPLACE INTO snapshot_pieces (snapshot, piece, data)
         SELECT id, ?, ? FROM snapshots WHERE id = ?`,
      )
      .run(index, piece, snapshot);
    return changes > 0;
  });
}

/** A snapshot has all its pieces: it counts from now on, where it is still wanted, and the older ones over the number kept do not. */
export function* endSnapshot(
  open: () => Opened,
  { head, snapshot, pieces }: { readonly head: SnapshotHead; readonly snapshot: number; readonly pieces: number },
): Upkeep<void> {
  yield;
  const { committer, database } = open();
  committer.transaction(() => {
    const channel = committer.channels.find(head.channel);
    // The channel went on while the pieces were stored.
    if (!channel || !isWanted(database, channel, head)) return;
    database.prepare("UPDATE snapshots SET pieces = ? WHERE id = ? AND channel = ?").run(pieces, snapshot, channel.id);
    database
      .prepare(`UPDATE snapshots SET pieces = NULL WHERE channel = ?1 AND model = ?2 AND "offset" < ?3`)
      .run(channel.id, head.model, oldestKept(database, channel.id, head.model));
  });
  yield* clearUnfinished(open, head, snapshot);
}

/** An event of a model was erased: see `Log.redact`. */
export function forgetSnapshots(database: DatabaseSync, channel: ChannelRow, model: string, offset: number): void {
  const older = database.prepare(
    `SELECT 1 FROM snapshots WHERE channel = ? AND model = ? AND "offset" < ? AND pieces IS NOT NULL`,
  );
  if (channel.first > 1 && !older.get(channel.id, model, offset)) return;
  const since = `SELECT id FROM snapshots WHERE channel = ? AND model = ? AND "offset" >= ?`;
  database.prepare(`DELETE FROM snapshot_pieces WHERE snapshot IN (${since})`).run(channel.id, model, offset);
  database.prepare(`DELETE FROM snapshots WHERE id IN (${since})`).run(channel.id, model, offset);
}

/**
 * Deletes snapshots that do not count, with their pieces: of one model or of all, and of one channel or of all.
 *
 * @param upTo the id of the last that goes. Default: those that are there now, and none that is begun meanwhile
 */
export function* clearUnfinished(
  open: () => Opened,
  of: { readonly channel?: string; readonly model?: string } = {},
  upTo?: number,
): Upkeep<void> {
  let last = upTo;
  for (;;) {
    const { committer, database } = open();
    last ??= Number(database.prepare("SELECT coalesce(max(id), 0) AS last FROM snapshots").get()?.last);
    const lastId = last;
    const more = committer.transaction(() => {
      const channel = of.channel === undefined ? undefined : committer.channels.find(of.channel);
      if (of.channel !== undefined && !channel) return false;
      const found = database
        .prepare(
          `SELECT id FROM snapshots WHERE pieces IS NULL AND id <= ?1
             AND (?2 IS NULL OR channel = ?2) AND (?3 IS NULL OR model = ?3) LIMIT 1`,
        )
        .get(lastId, channel?.id ?? null, of.model ?? null);
      if (!found) return false;
      clearSome(database, Number(found.id));
      return true;
    });
    if (!more) return;
    yield;
  }
}

function clearSome(database: DatabaseSync, snapshot: number): void {
  const { changes } = database
    .prepare(
      `DELETE FROM snapshot_pieces WHERE snapshot = ?1
         AND piece IN (SELECT piece FROM snapshot_pieces WHERE snapshot = ?1 LIMIT ${CHUNK})`,
    )
    .run(snapshot);
  if (Number(changes) < CHUNK) database.prepare("DELETE FROM snapshots WHERE id = ?").run(snapshot);
}

/** Is a snapshot newer than those that are kept, at a position of this life from which the log can be read on? */
function isWanted(database: DatabaseSync, channel: ChannelRow, { model, position }: SnapshotHead): boolean {
  const { epoch, offset, tag } = position;
  if (epoch === UNBORN || resume(headOf(channel), position).kind === "reset") return false;
  if (tagAt(database, channel, offset) !== tag) return false;
  const newest = database
    .prepare(`SELECT max("offset") AS newest FROM snapshots WHERE channel = ? AND model = ? AND pieces IS NOT NULL`)
    .get(channel.id, model)?.newest;
  return newest === null || Number(newest) < offset;
}

function tagAt(database: DatabaseSync, { id, offset, tag, first, floor }: ChannelRow, at: number): unknown {
  if (at === offset) return tag;
  if (at === first - 1) return floor;
  return database.prepare(`SELECT tag FROM message_log WHERE channel = ? AND "offset" = ?`).get(id, at)?.tag;
}

/** The position of the oldest snapshot of a model that is kept; 0 while there are fewer than are to be kept. */
function oldestKept(database: DatabaseSync, channel: number, model: string): number {
  const found = database
    .prepare(
      `SELECT "offset" FROM snapshots WHERE channel = ? AND model = ? AND pieces IS NOT NULL
       ORDER BY "offset" DESC LIMIT 1 OFFSET ${SNAPSHOTS - 1}`,
    )
    .get(channel, model);
  return Number(found?.offset ?? 0);
}

/** The last offset that may be trimmed: each model that has events can be told again from the older of two snapshots. */
export function trimmable(database: DatabaseSync, channel: number): number {
  const models = database.prepare(`SELECT name FROM models WHERE channel = ? AND "offset" > 0`).all(channel);
  return Math.min(Number.POSITIVE_INFINITY, ...models.map(({ name }) => oldestKept(database, channel, String(name))));
}
