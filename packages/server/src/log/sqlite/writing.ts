import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import type { LogBounds } from "../log.ts";
import { Committer } from "./committer.ts";
import { checkIntegrity, openToWrite, PATIENCE } from "./database.ts";
import type { StorageFailure } from "./failure.ts";
import { storageFailure } from "./failure.ts";
import type { Value } from "./flat.ts";
import { readAppend, writeResult } from "./flat.ts";
import type { AppendAnswer, LongJob, Reply, ShortJob } from "./jobs.ts";
import { readMeta, writeMeta } from "./meta.ts";
import { addPiece, beginSnapshot, clearUnfinished, endSnapshot } from "./snapshot-rows.ts";
import type { Opened, Upkeep } from "./upkeep.ts";
import { forgetProducers, remove, trim } from "./upkeep.ts";

/** Milliseconds after which the write-ahead log is emptied once more when a reader was in the way. */
export const TIDY_AGAIN_MS = 1_000;

/** Milliseconds to wait for readers when it is emptied: appends wait meanwhile. */
const TIDY_PATIENCE = 50;

/** Bytes from which on the write-ahead log is emptied even if appends have to wait for readers. */
const LONG_WAL = 2 ** 27;

/**
 * The committing thread's work, without the thread. It is `open`, or broken for a reason; once broken it refuses all but
 * the probe, which opens the file again and commits something.
 *
 * After any failure of the store nothing is taken from the connection that met it: it is closed, what the write-ahead log
 * holds is made durable again (see `hardenWal`), and the file is opened anew. An append whose commit failed is then asked
 * again, here or by its producer, and the marks tell whether it was stored after all.
 */
export class Writing {
  readonly #file: string;
  readonly #bounds: LogBounds;
  #opened: Opened | undefined;
  #broken: string | undefined;
  /** Something was erased that the write-ahead log may still hold. At the start nobody knows: the process before may have been killed. */
  #unpurged = true;
  #commits = 0;

  constructor(file: string, bounds: LogBounds) {
    this.#file = file;
    this.#bounds = bounds;
  }

  /** Opens the file. @throws what is wrong with it */
  start(check: boolean): void {
    const { database } = this.#open();
    if (check) checkIntegrity(database, this.#file);
  }

  /** Opens the file as the one who takes over: a failure makes it broken. */
  takeOver(): void {
    try {
      this.#open();
    } catch (error) {
      this.#break(this.#failureOf(error).reason);
    }
  }

  #open(): Opened {
    if (!this.#opened) {
      const database = openToWrite(this.#file);
      try {
        this.#opened = { database, committer: new Committer(database, this.#bounds) };
      } catch (error) {
        database.close();
        throw error;
      }
    }
    return this.#opened;
  }

  close(): void {
    const database = this.#opened?.database;
    this.#opened = undefined;
    try {
      database?.close();
    } catch (error) {
      // The connection is given up either way; what it could not finish is found again when the file is opened.
      if (!storageFailure(error, this.#file)) throw error;
    }
  }

  /** Does short jobs in one commit. The replies say what is durable. */
  commit(jobs: readonly ShortJob[]): Reply[] {
    if (this.#broken !== undefined)
      return jobs.map((job) => (job.kind === "probe" ? this.#probe(job.id) : this.#refuse(job.id)));
    try {
      return this.#tryCommit(jobs);
    } catch (error) {
      return this.#afterFailure(error, jobs);
    }
  }

  #tryCommit(jobs: readonly ShortJob[]): Reply[] {
    const { committer } = this.#open();
    const replies = committer.transaction(() => jobs.map((job) => ({ id: job.id, answer: answerOf(committer, job) })));
    if (committer.takeErased()) this.#unpurged = true;
    return replies;
  }

  #afterFailure(error: unknown, jobs: readonly ShortJob[]): Reply[] {
    const failure = storageFailure(error, this.#file);
    if (!failure) return this.#oneByOne(error, jobs);
    this.close();
    if (failure.reopen) {
      try {
        return this.#tryCommit(jobs);
      } catch (again) {
        this.close();
        this.#break(this.#failureOf(again).reason);
      }
    } else {
      this.#break(failure.reason);
    }
    return jobs.map((job) => this.#refuse(job.id));
  }

  /** One of the jobs has a fault of its own: it alone shall fail. */
  #oneByOne(error: unknown, jobs: readonly ShortJob[]): Reply[] {
    const [job] = jobs;
    if (jobs.length > 1 || !job) return jobs.flatMap((one) => this.commit([one]));
    if (job.kind === "append" && job.job.counts.length > 1) return [this.#callByCall(job)];
    return [{ id: job.id, failure: { kind: "internal", reason: messageOf(error) } }];
  }

  #callByCall({ id, job }: Extract<ShortJob, { kind: "append" }>): Reply {
    const values: Value[] = [];
    const failed = new Map<number, string>();
    let at = 0;
    for (const [index, count] of job.counts.entries()) {
      const start = at;
      for (let left = count; left > 0; left--) at = readAppend(job.values, at)[1];
      const call = { counts: [count], values: job.values.slice(start, at) };
      const [reply] = this.commit([{ id, kind: "append", job: call }]);
      if (reply && "answer" in reply) {
        for (const value of (reply.answer as AppendAnswer).values) values.push(value);
      } else {
        failed.set(index, reply?.failure.reason ?? "");
      }
    }
    return { id, answer: { values, failed } satisfies AppendAnswer };
  }

  /** Begins a long job; nothing is done before its first step. */
  begin(job: LongJob): Upkeep<unknown> {
    const open = () => this.#open();
    switch (job.kind) {
      case "trim":
        return trim(open, job.job.channel, job.job.bounds);
      case "remove":
        return remove(open, job.job.channel);
      case "forgetProducers":
        return forgetProducers(open, job.job.before);
      case "beginSnapshot":
        return beginSnapshot(open, job.job);
      case "addPiece":
        return addPiece(open, job.job);
      case "endSnapshot":
        return endSnapshot(open, job.job);
      case "clearSnapshots":
        return clearUnfinished(open);
    }
  }

  /** Goes a step on with a long job. @returns the reply once it is done */
  step(id: number, upkeep: Upkeep<unknown>): Reply | undefined {
    if (this.#broken !== undefined) return this.#refuse(id);
    try {
      const { done, value } = upkeep.next();
      if (this.#opened?.committer.takeErased()) this.#unpurged = true;
      return done ? { id, answer: value } : undefined;
    } catch (error) {
      const failure = storageFailure(error, this.#file);
      if (!failure) return { id, failure: { kind: "internal", reason: messageOf(error) } };
      this.close();
      this.#break(failure.reason);
      return this.#refuse(id);
    }
  }

  /**
   * Empties the write-ahead log when something was erased, so that the payload is in no file any more; and when it has
   * grown long because readers kept it from being begun anew.
   *
   * @returns whether that is to be tried again: a reader of long standing (a backup) was in the way
   */
  tidy(): boolean {
    if (!this.#opened || !(this.#unpurged || this.#walIsLong())) return false;
    try {
      const emptied = emptyWal(this.#opened.database, TIDY_PATIENCE);
      if (emptied) this.#unpurged = false;
      return !emptied;
    } catch (error) {
      // What was to be erased is committed as such; a later checkpoint takes it out of the write-ahead log.
      if (!storageFailure(error, this.#file)) throw error;
      return true;
    }
  }

  #walIsLong(): boolean {
    if (++this.#commits % 64 !== 0) return false;
    return (statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > LONG_WAL;
  }

  #probe(id: number): Reply {
    try {
      const { committer, database } = this.#open();
      // What the write-ahead log holds goes into the file, which makes room on a full disk: much of it is written twice.
      emptyWal(database, TIDY_PATIENCE);
      committer.transaction(() => writeMeta(database, "probe", (readMeta(database, "probe") ?? 0) + 1));
      this.#broken = undefined;
      return { id, answer: undefined };
    } catch (error) {
      this.close();
      this.#break(this.#failureOf(error).reason);
      return this.#refuse(id);
    }
  }

  #break(reason: string): void {
    this.#broken = reason;
  }

  #refuse(id: number): Reply {
    return { id, failure: { kind: "storage", reason: this.#broken ?? "The log is being opened again." } };
  }

  #failureOf(error: unknown): StorageFailure {
    return storageFailure(error, this.#file) ?? { reason: messageOf(error), reopen: false };
  }
}

function answerOf(committer: Committer, job: ShortJob): unknown {
  switch (job.kind) {
    case "append": {
      const values: Value[] = [];
      const given = job.job.values;
      for (let at = 0; at < given.length; ) {
        const [append, next] = readAppend(given, at);
        writeResult(values, committer.append(append));
        at = next;
      }
      return { values, failed: undefined } satisfies AppendAnswer;
    }
    case "redact":
      return committer.redact(job.job.channel, job.job.offset);
    case "archive":
      return committer.archive(job.job.channel, job.job.archived);
    case "saveConsumer":
      return committer.saveConsumer(job.job);
    case "follow": {
      const { follower, channel, version, most, now } = job.job;
      return committer.following.follow(follower, channel, version, most, now);
    }
    case "unfollow":
      return committer.following.unfollow(job.job.follower, job.job.channel, job.job.version);
    case "probe":
      return undefined;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Moves all that the write-ahead log holds into the file. @returns false when a reader was in the way */
function emptyWal(database: DatabaseSync, patience: number): boolean {
  database.exec(`PRAGMA busy_timeout = ${patience}`);
  const row = database.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  database.exec(`PRAGMA busy_timeout = ${PATIENCE}`);
  return row?.busy === 0;
}
