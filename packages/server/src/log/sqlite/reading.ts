import type { DatabaseSync } from "node:sqlite";
import { openToRead } from "./database.ts";
import { storageFailure } from "./failure.ts";
import { FollowingHistory } from "./following-rows.ts";
import { History } from "./history.ts";
import type { Envelope, ReaderJobs, Reply } from "./jobs.ts";
import { ModelHistory } from "./model-history.ts";

type ReaderJob = Envelope<ReaderJobs>;

interface Opened {
  readonly database: DatabaseSync;
  readonly history: History;
  readonly following: FollowingHistory;
  readonly models: ModelHistory;
}

/** The reading thread's work, without the thread: a connection of its own, opened again after a failure of the store. */
export class Reading {
  readonly #file: string;
  #opened: Opened | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Opens the file. @throws what is wrong with it */
  start(): void {
    this.#open();
  }

  close(): void {
    this.#opened?.database.close();
    this.#opened = undefined;
  }

  /** Does jobs, each in a read transaction of its own: one that holds many back would keep the log from being emptied. */
  answer(jobs: readonly ReaderJob[]): Reply[] {
    return jobs.map((job) => {
      try {
        return this.#try(job);
      } catch (error) {
        if (!storageFailure(error, this.#file)?.reopen) return this.#failed(job, error);
      }
      try {
        this.close();
        return this.#try(job);
      } catch (error) {
        return this.#failed(job, error);
      }
    });
  }

  #try(job: ReaderJob): Reply {
    const opened = this.#open();
    return { id: job.id, answer: opened.history.transaction(() => answerOf(opened, job)) };
  }

  #failed({ id }: ReaderJob, error: unknown): Reply {
    const storage = storageFailure(error, this.#file);
    if (storage) return { id, failure: { kind: "storage", reason: storage.reason } };
    return { id, failure: { kind: "internal", reason: error instanceof Error ? error.message : String(error) } };
  }

  #open(): Opened {
    if (!this.#opened) {
      const database = openToRead(this.#file);
      this.#opened = {
        database,
        history: new History(database),
        following: new FollowingHistory(database),
        models: new ModelHistory(database),
      };
    }
    return this.#opened;
  }
}

function answerOf({ history, following, models }: Opened, job: ReaderJob): unknown {
  switch (job.kind) {
    case "read":
      return history.read(job.job.channel, job.job.after, job.job.bounds);
    case "page":
      return history.page(job.job.channel, job.job.before, job.job.limit);
    case "heads":
      return history.heads(job.job.channels);
    case "channels":
      return history.channels(job.job.after, job.job.limit);
    case "consumer":
      return history.consumer(job.job.name, job.job.channel);
    case "following":
      return following.of(job.job);
    case "followingChanges":
      return following.changes(job.job.after, job.job.limit);
    case "deadlines":
      return models.deadlines(job.job.limit);
    case "keys":
      return models.keys(job.job.channel, job.job.model);
    case "snapshots":
      return models.snapshots(job.job.channel, job.job.model);
    case "snapshotPiece":
      return models.piece(job.job.head, job.job.index);
  }
}
