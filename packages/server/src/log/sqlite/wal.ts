import { closeSync, existsSync, fdatasyncSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes what the write-ahead log says durable, before anyone reads it.
 *
 * SQLite makes a commit visible only after its sync returned. But a process that dies between write and sync leaves
 * frames that only the page cache holds; the next process takes them for committed, and would answer a retry from them
 * (`settled`) without any sync having taken place: a power cut could then still lose what was acknowledged. After a sync
 * that *failed* it is worse: the kernel may drop the error and call the pages clean, so that a further sync succeeds
 * without writing anything. Writing the same bytes again makes every page dirty, so that this sync means what it says.
 * Frames that did not survive do not match their checksums, and SQLite's recovery leaves them out: what they held was
 * never acknowledged, and is asked for again by its producer.
 *
 * The database file needs no such care: a checkpoint counts pages as moved only after the file's sync returned, and
 * otherwise writes them again.
 *
 * Only for the one that holds the file's lock. Who reads meanwhile sees the same bytes.
 *
 * @throws an error of the file system: then nothing may be acknowledged
 */
export function hardenWal(file: string): void {
  const wal = `${file}-wal`;
  if (!existsSync(wal)) return;
  const handle = openSync(wal, "r+");
  try {
    const chunk = Buffer.allocUnsafe(1 << 20);
    let at = 0;
    for (let length = readSync(handle, chunk, 0, chunk.length, at); length > 0; ) {
      for (let written = 0; written < length; ) {
        written += writeSync(handle, chunk, written, length - written, at + written);
      }
      at += length;
      length = readSync(handle, chunk, 0, chunk.length, at);
    }
    fdatasyncSync(handle);
  } finally {
    closeSync(handle);
  }
  syncFolder(file);
}

/** Makes the names in a file's folder durable. */
export function syncFolder(file: string): void {
  const handle = openSync(dirname(file), "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
