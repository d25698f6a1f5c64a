import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { TandemError } from "@tandem/protocol";
import { checkIntegrity, openToRead, restoring } from "./database.ts";
import { storageFailure } from "./failure.ts";
import { lockFile } from "./lock.ts";
import { syncFolder } from "./wal.ts";

/** Pages copied between two calls of `onProgress`. */
const STRIDE = 1_000;

/** Told how much is copied, from 0 to 1. */
type Progress = (share: number) => void;

/**
 * Copies a log file into one file, as it is at this moment, while a server may write it. The copy is checked, synced, and
 * only then gets its name.
 *
 * @throws TandemError `storage-unavailable` when there is no such log, the target is there already, or the copy is no good
 */
export async function backupSqlite(
  file: string,
  target: string,
  onProgress: Progress = () => undefined,
): Promise<void> {
  const [from, to] = [resolve(file), resolve(target)];
  if (existsSync(to)) throw new TandemError("storage-unavailable", `${to} is there already. Name another file.`);
  await speakingOf(from, async () => {
    mkdirSync(dirname(to), { recursive: true });
    await copy(from, `${to}.part`, onProgress);
    renameSync(`${to}.part`, to);
    syncFolder(to);
  });
}

/**
 * Puts a backup in the place of a log file that no server has open. What was there is kept beside it. Clients that are
 * ahead of the backup are told to start anew.
 *
 * @returns the name under which the former file is kept, if there was one
 * @throws TandemError `storage-unavailable` when the log is in use or the backup is no good; nothing is changed then
 */
export async function restoreSqlite(
  backupFile: string,
  file: string,
  onProgress: Progress = () => undefined,
): Promise<string | undefined> {
  const [from, to] = [resolve(backupFile), resolve(file)];
  const lock = lockFile(to);
  try {
    return await speakingOf(from, async () => {
      await copy(from, `${to}.part`, onProgress);
      // From here on the new file is complete, and a server that finds this name does not start on the old one.
      renameSync(`${to}.part`, restoring(to));
      syncFolder(to);
      const kept = keepAside(to);
      renameSync(restoring(to), to);
      syncFolder(to);
      return kept;
    });
  } finally {
    lock.release();
  }
}

/** Copies a whole, sound log into a file that needs no other beside it. Where that fails, nothing of it is left. */
async function copy(from: string, to: string, onProgress: Progress): Promise<void> {
  remove(to);
  try {
    await write(from, to, onProgress);
  } catch (error) {
    remove(to);
    throw error;
  }
}

function remove(file: string): void {
  for (const end of ["", "-journal", "-wal", "-shm"]) rmSync(file + end, { force: true });
}

async function write(from: string, to: string, onProgress: Progress): Promise<void> {
  // Whatever format it has, the copy has too: a backup is wanted before the server brings a log up to date, and one of before may have to be restored.
  const source = openToRead(from, 1);
  try {
    // A read transaction holds the moment: without one, the copy would begin anew with every commit.
    source.exec("BEGIN; SELECT count(*) FROM sqlite_schema");
    await backup(source, to, {
      rate: STRIDE,
      progress: ({ totalPages, remainingPages }) => onProgress(1 - remainingPages / totalPages),
    });
  } finally {
    source.close();
  }
  const made = new DatabaseSync(to);
  try {
    made.exec("PRAGMA journal_mode = DELETE");
    checkIntegrity(made, from, Number.POSITIVE_INFINITY);
  } finally {
    made.close();
  }
  const handle = openSync(to, "r+");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  onProgress(1);
}

/** Gives a file another name as well, and its companions that name alone. @returns the name */
function keepAside(file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const stamp = new Date().toISOString().replace(/[-:]|\.\d+/g, "");
  let aside = `${file}.before-restore-${stamp}`;
  for (let number = 2; existsSync(aside); number++) aside = `${file}.before-restore-${stamp}-${number}`;
  try {
    linkSync(file, aside);
  } catch {
    // A file system without links: a copy does.
    copyFileSync(file, aside);
  }
  for (const companion of ["-wal", "-shm"]) {
    if (existsSync(file + companion)) renameSync(file + companion, aside + companion);
  }
  return aside;
}

/** Runs `work`; failures of the store come out with a sentence that names the file. */
async function speakingOf<T>(file: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const failure = storageFailure(error, file);
    if (!failure) throw error;
    throw new TandemError("storage-unavailable", failure.reason, { cause: error });
  }
}
