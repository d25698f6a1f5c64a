import type { Position } from "@tandem/protocol";
import type { ChangeOutcome, Follower, FollowingChanges, StoredFollowing } from "../following-log.ts";
import type { ChannelKey, ConsumerPosition, Head, LogBounds, ReadBounds, TrimBounds } from "../log.ts";
import type { Deadline, ModelKeys, SnapshotHead, StoredSnapshot } from "../model-log.ts";
import type { Value } from "./flat.ts";
import type { FlatRun } from "./history.ts";

/** What the committing thread does, and what it answers. */
export interface WriterJobs {
  /** Calls of `append` made in one turn: how many appends each has, and all of them one after the other. */
  append: [job: { readonly counts: readonly number[]; readonly values: readonly Value[] }, answer: AppendAnswer];
  redact: [job: { readonly channel: ChannelKey; readonly offset: number }, answer: boolean];
  archive: [job: { readonly channel: ChannelKey; readonly archived: boolean }, answer: Head];
  saveConsumer: [job: ConsumerPosition, answer: undefined];
  follow: [
    job: {
      readonly follower: Follower;
      readonly channel: string;
      readonly version: number;
      readonly most: number;
      readonly now: number;
    },
    answer: ChangeOutcome,
  ];
  unfollow: [
    job: { readonly follower: Follower; readonly channel: string; readonly version: number },
    answer: ChangeOutcome,
  ];
  trim: [job: { readonly channel: ChannelKey; readonly bounds: TrimBounds }, answer: Head];
  remove: [job: { readonly channel: ChannelKey }, answer: undefined];
  forgetProducers: [job: { readonly before: number }, answer: number];
  /** Answers the snapshot's id; `undefined`: it is not wanted. */
  beginSnapshot: [job: SnapshotHead, answer: number | undefined];
  /** Answers whether the snapshot is still there. */
  addPiece: [job: { readonly snapshot: number; readonly index: number; readonly piece: string }, answer: boolean];
  endSnapshot: [
    job: { readonly head: SnapshotHead; readonly snapshot: number; readonly pieces: number },
    answer: undefined,
  ];
  /** Clears what was never finished. */
  clearSnapshots: [job: Record<never, never>, answer: undefined];
  /** Tries whether the store can be written again. */
  probe: [job: Record<never, never>, answer: undefined];
}

/** Jobs that are done step by step, each step in a commit of its own; others share one. */
const LONG = [
  "trim",
  "remove",
  "forgetProducers",
  "beginSnapshot",
  "addPiece",
  "endSnapshot",
  "clearSnapshots",
] as const satisfies (keyof WriterJobs)[];

export type WriterJob = Envelope<WriterJobs>;
export type LongJob = Extract<WriterJob, { readonly kind: (typeof LONG)[number] }>;
export type ShortJob = Exclude<WriterJob, LongJob>;

export function isLong(job: WriterJob): job is LongJob {
  return (LONG as readonly string[]).includes(job.kind);
}

export interface AppendAnswer {
  /** The results of all calls that were stored, one after the other. */
  readonly values: readonly Value[];
  /** Calls that could not be stored for a reason of their own, by index, with what was said. */
  readonly failed: ReadonlyMap<number, string> | undefined;
}

/** What the reading thread does, and what it answers. */
export interface ReaderJobs {
  read: [
    job: { readonly channel: ChannelKey; readonly after: Position | number; readonly bounds: ReadBounds },
    answer: FlatRun,
  ];
  page: [
    job: { readonly channel: ChannelKey; readonly before: number | undefined; readonly limit: number },
    answer: { readonly head: Head; readonly events: readonly Value[] },
  ];
  heads: [job: { readonly channels: readonly ChannelKey[] }, answer: Head[]];
  channels: [job: { readonly after: ChannelKey | undefined; readonly limit: number }, answer: Head[]];
  consumer: [job: { readonly name: string; readonly channel: ChannelKey }, answer: Position | undefined];
  following: [job: Follower, answer: StoredFollowing];
  followingChanges: [job: { readonly after: number; readonly limit: number }, answer: FollowingChanges];
  deadlines: [job: { readonly limit: number }, answer: Deadline[]];
  keys: [job: { readonly channel: ChannelKey; readonly model: string }, answer: ModelKeys];
  snapshots: [job: { readonly channel: ChannelKey; readonly model: string }, answer: StoredSnapshot[]];
  snapshotPiece: [job: { readonly head: SnapshotHead; readonly index: number }, answer: string | undefined];
}

/** What is asked in a job of this kind. */
export type Job<J, K extends keyof J> = J[K] extends [infer Asked, unknown] ? Asked : never;

/** What is answered to it. */
export type Answer<J, K extends keyof J> = J[K] extends [unknown, infer A] ? A : never;

/** A job on its way to a thread. */
export type Envelope<J> = {
  [K in keyof J]: { readonly id: number; readonly kind: K; readonly job: Job<J, K> };
}[keyof J];

/** Why a job was not done: the store cannot do it now, or there is a fault in the job or in us. */
export interface JobFailure {
  readonly kind: "storage" | "internal";
  readonly reason: string;
}

export type Reply = { readonly id: number } & ({ readonly answer: unknown } | { readonly failure: JobFailure });

/** What a thread tells: that it stands (or cannot), and replies, many at once. */
export type FromThread =
  | { readonly kind: "started" }
  | { readonly kind: "not-started"; readonly reason: string }
  | { readonly kind: "replies"; readonly replies: readonly Reply[] };

/** What a thread is told: jobs, or that no more will come. */
export type ToThread<J> = readonly Envelope<J>[] | "close";

export interface ThreadSettings {
  readonly file: string;
  readonly bounds: LogBounds;
  /** The first thread of its kind checks the file, and does not start when that is no good; one that takes over does. */
  readonly first: boolean;
}
