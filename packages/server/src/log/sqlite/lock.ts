import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { TandemError } from "@tandem/protocol";
import { isBusy, storageFailure } from "./failure.ts";

export interface FileLock {
  release(): void;
}

/**
 * Takes the one lock under which a log file may be written: an open exclusive transaction on an empty database beside it
 * (`FILE.lock`). It ends with the process, however that ends, and holds between threads of one process too. Readers on
 * connections of their own are not kept out, as they would be by locking the log file itself.
 *
 * @throws TandemError `storage-unavailable` when someone holds it, or it cannot be opened
 */
export function lockFile(file: string): FileLock {
  const database = openLock(`${file}.lock`);
  try {
    // The lock writes nothing: it can be taken on a full disk, and leaves no journal behind.
    database.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new TandemError(
      "storage-unavailable",
      `The log ${file} is in use by another server, or by a restore. Stop that one first, or name another file.`,
    );
  }
  return { release: () => database.close() };
}

function openLock(file: string): DatabaseSync {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return new DatabaseSync(file, { timeout: 0 });
  } catch (error) {
    const failure = storageFailure(error, file);
    if (!failure) throw error;
    throw new TandemError("storage-unavailable", failure.reason, { cause: error });
  }
}
