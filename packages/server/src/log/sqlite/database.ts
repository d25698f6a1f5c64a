import { existsSync, statSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { TandemError } from "@tandem/protocol";
import { damaged } from "./failure.ts";
import { FORMAT, formatOf, migrate } from "./schema.ts";
import { hardenWal } from "./wal.ts";

/** A larger file is not read whole at the start; the heads are checked all the same. */
const CHECK_BYTES = 2 ** 31;

/** Pages of the write-ahead log after which a commit moves them into the file (16 MB). */
const CHECKPOINT_PAGES = 4_096;

/** Milliseconds a connection waits for another one's lock: a checkpoint for readers, a reader for a recovery. */
export const PATIENCE = 2_000;

/** Opens the file to write: for the one that holds its lock. Makes it when there is none. */
export function openToWrite(file: string): DatabaseSync {
  if (existsSync(restoring(file))) {
    throw new TandemError(
      "storage-unavailable",
      `A restore of ${file} was cut off. Run it again: tandem restore BACKUP ${file}`,
    );
  }
  hardenWal(file);
  return open(file, false, (database) => {
    database.exec("PRAGMA journal_mode = WAL");
    // FULL: each commit syncs the write-ahead log before it returns.
    database.exec("PRAGMA synchronous = FULL");
    // What is redacted or trimmed is overwritten with zeros.
    database.exec("PRAGMA secure_delete = ON");
    database.exec(`PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES}`);
    database.exec("PRAGMA journal_size_limit = 67108864");
    database.exec("PRAGMA cache_size = -65536");
    migrate(database, file);
  });
}

/** Opens the file to read, beside whoever writes. @param oldest the oldest format that the reader understands */
export function openToRead(file: string, oldest = FORMAT): DatabaseSync {
  if (!existsSync(file)) throw new TandemError("storage-unavailable", `There is no log file ${file}.`);
  return open(file, true, (database) => {
    database.exec("PRAGMA cache_size = -32768");
    const format = formatOf(database, file);
    if (format >= oldest) return;
    throw new TandemError(
      "storage-unavailable",
      format === 0
        ? `${file} is empty: no server has written it yet.`
        : `${file} has an older format (${format}). Start the server on it once: it brings it up to date.`,
    );
  });
}

function open(file: string, readOnly: boolean, prepare: (database: DatabaseSync) => void): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly, timeout: PATIENCE });
  try {
    prepare(database);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** The name that a file has while it is being restored. */
export function restoring(file: string): string {
  return `${file}.restoring`;
}

/**
 * Looks for damage: the structure of the file, then that every channel's row agrees with its messages.
 *
 * @param wholeUpTo bytes of the file up to which all of it is read
 * @throws TandemError `storage-unavailable` with what was found and what to do
 */
export function checkIntegrity(database: DatabaseSync, file: string, wholeUpTo = CHECK_BYTES): void {
  const finding = structure(database, file, wholeUpTo) ?? disagreement(database);
  if (finding !== undefined) throw new TandemError("storage-unavailable", damaged(file, finding));
}

function structure(database: DatabaseSync, file: string, wholeUpTo: number): string | undefined {
  if (wholeUpTo !== Number.POSITIVE_INFINITY && statSync(file).size > wholeUpTo) return undefined;
  const found = database.prepare("PRAGMA quick_check(1)").get()?.quick_check;
  return found === "ok" ? undefined : String(found).replace(/\s+/g, " ");
}

/** A channel whose row and messages do not fit. Four look-ups a channel, whatever its length. */
function disagreement(database: DatabaseSync): string | undefined {
  const row = database
    .prepare(
      `SELECT key FROM channels c WHERE
         (SELECT max("offset") FROM message_log WHERE channel = c.id) IS NOT nullif(c."offset", 0)
         OR (SELECT tag FROM message_log WHERE channel = c.id AND "offset" = c."offset") IS NOT nullif(c.tag, '')
         OR (SELECT min("offset") FROM message_log WHERE channel = c.id) IS NOT iif(c."offset" = 0, NULL, c.first)
         OR c.count <> c."offset" - c.first + 1
       LIMIT 1`,
    )
    .get();
  return row && `the row of the channel ${String(row.key)} does not agree with its messages`;
}
