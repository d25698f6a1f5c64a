import { TandemError } from "@tandem/protocol";

/** SQLite's primary result codes that speak of the store, not of what it was asked (https://sqlite.org/rescode.html). */
const BUSY = 5;
const LOCKED = 6;
const NOMEM = 7;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const PROTOCOL = 15;
const NOTADB = 26;

/** What a failure of the store asks for. */
export interface StorageFailure {
  /** A sentence for people. */
  readonly reason: string;
  /** May the same work when the file is opened again? A full disk stays full. */
  readonly reopen: boolean;
}

/** What is wrong with the store, or `undefined` when the error is not the store's. */
export function storageFailure(error: unknown, file: string): StorageFailure | undefined {
  if (error instanceof TandemError && error.code === "storage-unavailable") {
    return { reason: error.message, reopen: false };
  }
  const code = primaryCode(error);
  const said = error instanceof Error ? error.message : String(error);
  switch (code) {
    case FULL:
      return { reason: `The disk of ${file} is full.`, reopen: false };
    case CORRUPT:
    case NOTADB:
      return { reason: damaged(file, said), reopen: false };
    case IOERR:
    case CANTOPEN:
    case PROTOCOL:
      return { reason: `Writing or reading ${file} failed: ${said}.`, reopen: true };
    case BUSY:
    case LOCKED:
      return { reason: `Another program holds ${file}: ${said}.`, reopen: false };
    case READONLY:
      return { reason: `${file} cannot be written: ${said}.`, reopen: true };
    case NOMEM:
      return { reason: `There is no memory left to work on ${file}.`, reopen: true };
    default:
      return isFileError(error) ? { reason: `Writing or reading ${file} failed: ${said}.`, reopen: true } : undefined;
  }
}

/** The sentence for a file whose content is not what it should be. */
export function damaged(file: string, finding: string): string {
  return (
    `The log file ${file} is damaged: ${finding}. Nothing was changed. ` +
    `Keep a copy of the file, then restore a backup: tandem restore BACKUP ${file}`
  );
}

export function isBusy(error: unknown): boolean {
  return primaryCode(error) === BUSY;
}

/** The low byte of SQLite's extended code; 0 when the error is not SQLite's. */
function primaryCode(error: unknown): number {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return 0;
  return error.errcode & 0xff;
}

/** An error of a system call, as `node:fs` throws it. */
function isFileError(error: unknown): boolean {
  return error instanceof Error && "syscall" in error;
}
