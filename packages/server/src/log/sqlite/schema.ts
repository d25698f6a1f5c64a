import type { DatabaseSync } from "node:sqlite";
import { TandemError } from "@tandem/protocol";

/** "TAND": what tells a Tandem log from any other SQLite file. */
const APPLICATION_ID = 0x54_41_4e_44;

/**
 * The numbered migrations: the n-th makes format n of format n-1. Never change one that was released; add another.
 *
 * Messages lie in the order of their channel and offset, so that reading a piece of history reads neighbouring pages.
 */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE meta (
    name TEXT PRIMARY KEY NOT NULL,
    value ANY NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- One row a channel. Epoch '-': unborn. "floor" is the tag of the position before the first message that is kept.
  CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    epoch TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    tag TEXT NOT NULL,
    first INTEGER NOT NULL,
    floor TEXT NOT NULL,
    time INTEGER NOT NULL,
    count INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    archived INTEGER NOT NULL,
    revision INTEGER NOT NULL
  ) STRICT;

  -- The messages. "run": offset of the first message of the same append. "data": JSON; NULL once redacted.
  CREATE TABLE message_log (
    channel INTEGER NOT NULL,
    "offset" INTEGER NOT NULL,
    run INTEGER NOT NULL,
    id TEXT NOT NULL,
    tag TEXT NOT NULL,
    time INTEGER NOT NULL,
    type TEXT NOT NULL,
    version INTEGER NOT NULL,
    author TEXT,
    trace TEXT,
    data TEXT,
    PRIMARY KEY (channel, "offset")
  ) STRICT, WITHOUT ROWID;

  -- Who published on which channel, and up to which sequence number that is settled. Owner: tenant/user.
  CREATE TABLE producers (
    id INTEGER PRIMARY KEY,
    owner TEXT NOT NULL,
    producer TEXT NOT NULL,
    channel INTEGER NOT NULL,
    minted INTEGER NOT NULL,
    mark INTEGER NOT NULL,
    used INTEGER NOT NULL,
    UNIQUE (owner, producer, channel)
  ) STRICT;

  -- The latest outcomes of each producer, a ring: slot = seq % window. Either a position, or a refusal as JSON.
  CREATE TABLE outcomes (
    producer INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    digest TEXT NOT NULL,
    epoch TEXT,
    "offset" INTEGER,
    tag TEXT,
    refusal TEXT,
    PRIMARY KEY (producer, slot)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE consumers (
    channel TEXT NOT NULL,
    name TEXT NOT NULL,
    epoch TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    tag TEXT NOT NULL,
    PRIMARY KEY (channel, name)
  ) STRICT, WITHOUT ROWID;

  -- For people: SELECT * FROM messages WHERE channel = 'acme/room:42'
  CREATE VIEW messages AS
    SELECT c.key AS channel, m."offset", datetime(m.time / 1000, 'unixepoch') AS time, m.type, m.author, m.data
    FROM message_log m JOIN channels c ON c.id = m.channel;
  `,
  `
  -- The channels that each connection of a user subscribes to without being asked. "time": when it was added.
  CREATE TABLE ws_subscriptions (
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    channel TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (tenant, user, channel)
  ) STRICT, WITHOUT ROWID;

  -- One row a user who ever had any. "version": of the list's newest change, from one count for all.
  CREATE TABLE ws_subscribers (
    version INTEGER PRIMARY KEY,
    tenant TEXT NOT NULL,
    user TEXT NOT NULL,
    UNIQUE (tenant, user)
  ) STRICT;
  `,
  `
  -- One row a model of a channel in its present life. "tag": of the model's history. "offset": of its last message; 0: none yet.
  -- "deadline": when time itself asks it again, in milliseconds.
  CREATE TABLE models (
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    tag TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    deadline INTEGER,
    PRIMARY KEY (channel, name)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX deadlines ON models (deadline) WHERE deadline IS NOT NULL;

  -- The newest fencing token of each lock. Name: model/lock.
  CREATE TABLE fences (
    channel INTEGER NOT NULL,
    name TEXT NOT NULL,
    token INTEGER NOT NULL,
    PRIMARY KEY (channel, name)
  ) STRICT, WITHOUT ROWID;

  -- What a model seals its secrets with.
  CREATE TABLE sealing_keys (
    channel INTEGER NOT NULL,
    model TEXT NOT NULL,
    name TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (channel, model, name)
  ) STRICT, WITHOUT ROWID;

  -- Stored states of models, each at a position (epoch, offset, tag). "model_tag": of the model's history there.
  -- "pieces": how many there are; NULL: not whole, or not to be kept any more. Ids are never used again.
  CREATE TABLE snapshots (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel INTEGER NOT NULL,
    model TEXT NOT NULL,
    version INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    "offset" INTEGER NOT NULL,
    tag TEXT NOT NULL,
    model_tag TEXT NOT NULL,
    pieces INTEGER
  ) STRICT;
  CREATE INDEX snapshots_of_model ON snapshots (channel, model, "offset");
  CREATE INDEX unfinished_snapshots ON snapshots (channel, model) WHERE pieces IS NULL;

  CREATE TABLE snapshot_pieces (
    snapshot INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (snapshot, piece)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- By model: the highest fencing token of those that are held no more, in any life of the channel. Later ones are above it.
  CREATE TABLE fence_floors (
    channel INTEGER NOT NULL,
    model TEXT NOT NULL,
    token INTEGER NOT NULL,
    PRIMARY KEY (channel, model)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** The format that this version writes. */
export const FORMAT = MIGRATIONS.length;

function pragma(database: DatabaseSync, name: string): number {
  return database.prepare(`PRAGMA ${name}`).get()?.[name] as number;
}

/**
 * The format of an open file; 0 for a new one.
 *
 * @throws TandemError `storage-unavailable` when the file is another program's, or a newer Tandem's
 */
export function formatOf(database: DatabaseSync, file: string): number {
  const tables = database.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables;
  if (tables === 0) return 0;
  if (pragma(database, "application_id") !== APPLICATION_ID) {
    throw new TandemError(
      "storage-unavailable",
      `${file} is a database of another program, not a Tandem log. Name another file.`,
    );
  }
  const format = pragma(database, "user_version");
  if (format > FORMAT) {
    throw new TandemError(
      "storage-unavailable",
      `${file} was written by a newer Tandem (format ${format}; this version knows up to ${FORMAT}). ` +
        "Start the newer version, or restore a backup made by this one.",
    );
  }
  return format;
}

/** Brings a file to this version's format, each step in a transaction of its own. */
export function migrate(database: DatabaseSync, file: string): void {
  for (let format = formatOf(database, file); format < FORMAT; format++) {
    database.exec("BEGIN IMMEDIATE");
    database.exec(MIGRATIONS[format] as string);
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
    database.exec(`PRAGMA user_version = ${format + 1}`);
    database.exec("COMMIT");
  }
}
