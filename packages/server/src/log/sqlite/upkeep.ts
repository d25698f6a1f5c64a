import type { DatabaseSync } from "node:sqlite";
import type { ChannelKey, Head, TrimBounds } from "../log.ts";
import type { ChannelRow } from "./channel-rows.ts";
import type { Committer } from "./committer.ts";
import { readMeta, writeMeta } from "./meta.ts";
import { clearUnfinished, trimmable } from "./snapshot-rows.ts";

/** Rows that one transaction of an upkeep deletes, about: appends go on in between. */
const CHUNK = 2_000;

/** What is open now: after a failure of the store it is another connection. */
export interface Opened {
  readonly database: DatabaseSync;
  readonly committer: Committer;
}

/**
 * A long change in short transactions: each `yield` lets others commit. A crash between two leaves a channel that is
 * trimmed less than was asked, and whole.
 */
export type Upkeep<T> = Generator<void, T, void>;

/** Trims whole runs from the front until the bounds hold; the newest run stays, and what models need. @returns the head after it */
export function* trim(open: () => Opened, key: ChannelKey, bounds: TrimBounds): Upkeep<Head> {
  yield* shorten(open, key, bounds, trimmable);
  return open().committer.head(key);
}

function* shorten(open: () => Opened, key: ChannelKey, bounds: TrimBounds, last: typeof trimmable): Upkeep<void> {
  for (;;) {
    const { committer, database } = open();
    const more = committer.transaction(() => {
      const channel = committer.channels.find(key);
      if (!channel || channel.offset === 0) return false;
      return trimChunk(committer, database, channel, bounds, last(database, channel.id));
    });
    if (!more) return;
    yield;
  }
}

/**
 * @param last nothing after this offset is trimmed
 * @returns whether there is more to trim
 */
function trimChunk(
  committer: Committer,
  database: DatabaseSync,
  channel: ChannelRow,
  bounds: TrimBounds,
  last: number,
): boolean {
  const { count = Number.POSITIVE_INFINITY, bytes = Number.POSITIVE_INFINITY } = bounds;
  // The run that holds the first offset that has to stay, stays whole.
  const stays = database
    .prepare(`SELECT run FROM message_log WHERE channel = ? AND "offset" = ?`)
    .get(channel.id, Math.min(last + 1, channel.offset))?.run;
  const rows = database
    .prepare(
      `SELECT "offset", run, time, octet_length(data) AS bytes, tag FROM message_log
       WHERE channel = ? AND "offset" >= ? AND "offset" < ? ORDER BY "offset"`,
    )
    .iterate(channel.id, channel.first, stays ?? 0);
  let deleted = 0;
  let more = false;
  let { first, floor, bytes: kept } = channel;
  for (const row of rows) {
    if (row.run === row.offset) {
      const over =
        channel.offset - first + 1 > count ||
        kept > bytes ||
        (bounds.before !== undefined && Number(row.time) < bounds.before);
      more = over && deleted >= CHUNK;
      if (!over || more) break;
    }
    deleted++;
    first = Number(row.offset) + 1;
    floor = String(row.tag);
    kept -= Number(row.bytes ?? 0);
  }
  if (deleted > 0) {
    database.prepare(`DELETE FROM message_log WHERE channel = ? AND "offset" < ?`).run(channel.id, first);
    Object.assign(channel, { first, floor, bytes: kept, count: channel.count - deleted });
    committer.channels.change(channel);
  }
  return more;
}

/**
 * Ends a channel's life: shortens it to its newest run, whatever models need, then deletes that with the life. Cut off before its end, it has to be
 * asked again: models can no longer be told from what is left.
 */
export function* remove(open: () => Opened, key: ChannelKey): Upkeep<void> {
  yield* shorten(open, key, { count: 0 }, () => Number.POSITIVE_INFINITY);
  yield;
  const { committer, database } = open();
  committer.transaction(() => {
    const channel = committer.channels.find(key);
    if (!channel) return;
    database.prepare("DELETE FROM message_log WHERE channel = ?").run(channel.id);
    committer.bury(channel);
  });
  yield* clearUnfinished(open, { channel: key });
}

/** Forgets producers minted and last used before `before`, and the rows of channels that nothing refers to any more. */
export function* forgetProducers(open: () => Opened, before: number): Upkeep<number> {
  let forgotten = 0;
  let after = 0;
  for (;;) {
    const { database } = open();
    const page = database
      .prepare(`SELECT id, minted, used FROM producers WHERE id > ? ORDER BY id LIMIT ${CHUNK}`)
      .all(after);
    const last = page.at(-1);
    if (!last) break;
    after = Number(last.id);
    const old = page.filter((row) => Number(row.minted) < before && Number(row.used) < before);
    // A ring of outcomes is many rows: a few producers a transaction.
    for (let at = 0; at < old.length; at += 50) {
      const some = old.slice(at, at + 50);
      const { committer, database } = open();
      committer.transaction(() => forgetSome(database, some as { id: number; minted: number }[]));
      committer.forget();
      forgotten += some.length;
      yield;
    }
    yield;
  }
  const { committer, database } = open();
  committer.transaction(() => {
    database.exec(
      `DELETE FROM channels WHERE epoch = '-' AND archived = 0 AND id NOT IN (SELECT channel FROM producers)
         AND id NOT IN (SELECT channel FROM fences) AND id NOT IN (SELECT channel FROM fence_floors) AND id NOT IN (SELECT channel FROM models)`,
    );
  });
  committer.forget();
  return forgotten;
}

function forgetSome(database: DatabaseSync, rows: readonly { id: number; minted: number }[]): void {
  const outcomes = database.prepare("DELETE FROM outcomes WHERE producer = ?");
  const producer = database.prepare("DELETE FROM producers WHERE id = ?");
  let horizon = readMeta(database, "horizon") ?? 0;
  for (const { id, minted } of rows) {
    outcomes.run(id);
    producer.run(id);
    horizon = Math.max(horizon, minted + 1);
  }
  writeMeta(database, "horizon", horizon);
}
