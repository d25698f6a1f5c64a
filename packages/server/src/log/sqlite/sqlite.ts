import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Log, LogBounds, LogHealth, ReadResult } from "../log.ts";
import { DEFAULT_LOG_BOUNDS } from "../log.ts";
import type { SnapshotHead } from "../model-log.ts";
import type { QueueBounds } from "./append-queue.ts";
import { AppendQueue } from "./append-queue.ts";
import { readEvents } from "./flat.ts";
import type { FlatRun } from "./history.ts";
import type { ReaderJobs, WriterJobs } from "./jobs.ts";
import { lockFile } from "./lock.ts";
import type { ThreadOptions } from "./thread.ts";
import { Thread } from "./thread.ts";

export interface SqliteLogOptions {
  /** The log file. Its folder is made when there is none. Beside it stand `FILE-wal`, `FILE-shm` and `FILE.lock`. */
  readonly file: string;
  readonly runtime: Runtime;
  readonly bounds?: Partial<LogBounds> | undefined;
  readonly queue?: Partial<QueueBounds> | undefined;
  /** Most reads that wait. Default 16,384. */
  readonly reads?: number | undefined;
  /** Only reads: needs no lock, may stand beside a server that writes the file. Default false. */
  readonly readOnly?: boolean | undefined;
  /** Told of each thread that is started. */
  readonly onWorker?: ((worker: Worker, name: "writer" | "reader") => void) | undefined;
}

const DEFAULT_QUEUE: QueueBounds = { appends: 65_536, bytes: 2 ** 26 };
const DEFAULT_READS = 16_384;

/** Milliseconds between two tries to write a store that could not be written. */
const PROBE_MS = 1_000;

/**
 * A log in one SQLite file, for one process: a thread that commits, a thread that reads. All appends that arrive while
 * one commit runs go into the next. What was answered is on disk.
 *
 * When the store cannot be written (a full disk, a failed write), appends are refused with `storage-unavailable`, reads
 * go on, and it recovers by itself.
 *
 * @throws TandemError `storage-unavailable` when the file is in use, damaged, of another program or of a newer version;
 *   the message says what to do. Nothing is ever deleted.
 */
export async function createSqliteLog(options: SqliteLogOptions): Promise<Log> {
  const { runtime, readOnly = false } = options;
  const file = resolve(options.file);
  const bounds = { ...DEFAULT_LOG_BOUNDS, ...options.bounds };
  const lock = readOnly ? undefined : lockFile(file);
  const thread = (name: "writer" | "reader", url: URL, onStorageFailure: (reason: string) => void): ThreadOptions => ({
    name,
    url,
    settings: { file, bounds },
    runtime,
    onStorageFailure,
    onWorker: options.onWorker,
  });
  let health: LogHealth = readOnly
    ? { writable: false, reason: "The log was opened to read only." }
    : { writable: true };
  let open = true;

  const notWritable = (reason: string) => {
    if (!health.writable) return;
    health = { writable: false, reason };
    runtime.logger.error({ file, reason }, "the log cannot be written");
    probeSoon();
  };
  const probeSoon = () => {
    runtime.timer(PROBE_MS, () => {
      if (!open) return;
      writer?.do("probe", {}).then(
        () => {
          health = { writable: true };
          runtime.logger.info({ file }, "the log can be written again");
        },
        (error: TandemError) => {
          health = { writable: false, reason: error.message };
          probeSoon();
        },
      );
    });
  };

  let writer: Thread<WriterJobs> | undefined;
  let reader: Thread<ReaderJobs>;
  try {
    if (!readOnly) {
      writer = await Thread.start<WriterJobs>(thread("writer", new URL("./writer.ts", import.meta.url), notWritable));
    }
    reader = await Thread.start<ReaderJobs>(thread("reader", new URL("./reader.ts", import.meta.url), () => undefined));
  } catch (error) {
    await writer?.close();
    lock?.release();
    throw error;
  }

  const appends = new AppendQueue({ ...DEFAULT_QUEUE, ...options.queue }, runtime.defer, (counts, values) =>
    writing().do("append", { counts, values }),
  );
  const writing = (): Thread<WriterJobs> => {
    if (!writer) throw new TandemError("storage-unavailable", "The log was opened to read only.");
    return writer;
  };
  /** Takes a change, in the order of calls. */
  const write: Thread<WriterJobs>["do"] = async (kind, job) => {
    checkWritable();
    if (writing().waiting >= DEFAULT_READS) throw new TandemError("overloaded", "Too many changes wait to be stored.");
    appends.flush();
    return writing().do(kind, job);
  };
  const checkWritable = () => {
    if (!open) throw new TandemError("storage-unavailable", "The log is closed.");
    if (!health.writable) throw new TandemError("storage-unavailable", health.reason, { retryAfter: PROBE_MS });
  };
  const read: Thread<ReaderJobs>["do"] = async (kind, job) => {
    if (!open) throw new TandemError("storage-unavailable", "The log is closed.");
    if (reader.waiting >= (options.reads ?? DEFAULT_READS)) {
      throw new TandemError("overloaded", "Too many reads wait.", { retryAfter: 100 });
    }
    return reader.do(kind, job);
  };
  const saveSnapshot = async (head: SnapshotHead, pieces: Iterable<string>) => {
    const snapshot = await write("beginSnapshot", head);
    if (snapshot === undefined) return;
    let index = 0;
    for (const piece of pieces) if (!(await write("addPiece", { snapshot, index: index++, piece }))) return;
    await write("endSnapshot", { head, snapshot, pieces: index });
  };
  // A failure is seen by whoever writes next.
  if (writer) void write("clearSnapshots", {}).catch(() => undefined);
  let closed: Promise<void> | undefined;
  const close = async () => {
    open = false;
    health = { writable: false, reason: "The log is closed." };
    appends.flush();
    // The last connection to close empties the write-ahead log into the file: that has to be the one that may write.
    await reader.close();
    await writer?.close();
    lock?.release();
  };

  return {
    append: async (batch) => {
      checkWritable();
      return batch.length === 0 ? [] : appends.add(batch);
    },
    read: async (channel, after, readBounds) => readResult(await read("read", { channel, after, bounds: readBounds })),
    page: async (channel, before, limit) => {
      const { head, events } = await read("page", { channel, before, limit });
      return { head, events: readEvents(events) };
    },
    heads: (channels) => read("heads", { channels }),
    channels: (after, limit) => read("channels", { after, limit }),
    trim: (channel, trimBounds) => write("trim", { channel, bounds: trimBounds }),
    redact: (channel, offset) => write("redact", { channel, offset }),
    archive: (channel, archived) => write("archive", { channel, archived }),
    remove: (channel) => write("remove", { channel }),
    forgetProducers: (now) => write("forgetProducers", { before: now - bounds.marksAge }),
    loadConsumer: (name, channel) => read("consumer", { name, channel }),
    saveConsumer: (position) => write("saveConsumer", position),
    follow: ({ tenant, user }, channel, version, most, now) =>
      write("follow", { follower: { tenant, user }, channel, version, most, now }),
    unfollow: ({ tenant, user }, channel, version) =>
      write("unfollow", { follower: { tenant, user }, channel, version }),
    following: ({ tenant, user }) => read("following", { tenant, user }),
    followingChanges: (after, limit) => read("followingChanges", { after, limit }),
    deadlines: (limit) => read("deadlines", { limit }),
    keys: (channel, model) => read("keys", { channel, model }),
    saveSnapshot,
    snapshots: (channel, model) => read("snapshots", { channel, model }),
    snapshotPiece: (head, index) => read("snapshotPiece", { head, index }),
    health: () => health,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}

function readResult({ head, tagBefore, reason, events }: FlatRun): ReadResult {
  if (tagBefore === undefined) return { kind: "reset", reason: reason ?? "epoch", head };
  return { kind: "run", head, tagBefore, events: readEvents(events) };
}
