import type { ErrorCode, ErrorDetails, FenceToken, Position, ResetReason, StoredEvent } from "@tandem/protocol";
import { decidedId, eventId } from "@tandem/protocol";
import type { FollowingLog } from "./following-log.ts";
import type { ModelLog } from "./model-log.ts";

/** A channel of a tenant: `tenant/type:id`. Neither part can hold a slash. */
export type ChannelKey = string;

/** A durable entry of a channel, as the log keeps it. */
export interface LogEvent extends StoredEvent {
  /** Tag of the position after this event: `chainTag(tag before, id)`. */
  readonly tag: string;
  /** Offset of the first event of the append that stored it: the events of one append are read and trimmed together. */
  readonly run: number;
}

/** A channel as its row shows it. An unborn channel (nothing was ever appended) has epoch `-` and offset 0. */
export interface Head {
  readonly channel: ChannelKey;
  readonly epoch: string;
  /** Offset of the newest event. */
  readonly offset: number;
  readonly tag: string;
  /** Offset of the oldest event that is kept; `offset + 1` when none is. */
  readonly first: number;
  /** Time of the newest event. */
  readonly time: number;
  /** Events kept. */
  readonly count: number;
  /** Bytes of payload kept. */
  readonly bytes: number;
  readonly archived: boolean;
  /** Rises with every redaction, archiving and removal: what a node remembers of the channel is then out of date. */
  readonly revision: number;
}

/** The epoch of a channel to which nothing was ever appended. Its position 0 goes before every life of the channel. */
export const UNBORN = "-";

export interface NewEvent {
  readonly type: string;
  readonly version: number;
  /** JSON text. */
  readonly data: string;
  readonly author: string | undefined;
  readonly trace: string | undefined;
}

/** The user of the application's own producers. No token names it; no quota holds it. */
export const APPLICATION = "";

/** Who appends, so that it takes effect once. */
export interface Producer {
  readonly id: string;
  /** The user it belongs to: the same id of another user (or tenant) is another producer. */
  readonly user: string;
  readonly seq: number;
  /** `bodyDigest` of what was asked: another body under a used seq is refused. */
  readonly digest: string;
}

/** A final refusal: the attempt is settled by it for ever. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly issues?: ErrorDetails["issues"];
  /** With `rejected`: the model's reason. */
  readonly reason?: ErrorDetails["reason"];
}

/** What a model has beside its events; it changes in the transaction that stores them. */
export interface ModelAppend {
  /** The model's name in the channel. */
  readonly name: string;
  /**
   * The tag of the model's history on which its events were decided: `chainTag` over the ids of all its events in this life of the channel,
   * empty before the first. Where the log's is another, the answer is `conflict` (settles nothing).
   */
  readonly expect: string;
  /** Names the decision, at random: the same question decided again has another. It is part of its events' ids (`idsOf`). */
  readonly decision: string;
  /** When the model has to be asked again by time itself, in milliseconds since 1970; `undefined`: not. */
  readonly deadline: number | undefined;
  /**
   * Fencing tokens that are raised: `{model}/{lock}` each. What is not above the lock's token, and above those of all of the model's locks that are free, changes
   * nothing.
   */
  readonly fences?: readonly RaisedFence[] | undefined;
  /** Keys that are kept from now on, and those that are destroyed. */
  readonly keys?: { readonly create: readonly SealingKey[]; readonly destroy: readonly string[] } | undefined;
}

/** A fencing token that an append raises. `free`: the lock is held by nobody from then on, and no token of it is kept. */
export interface RaisedFence extends FenceToken {
  readonly free?: boolean | undefined;
}

/** A key that a model seals secrets with, kept outside the events. */
export interface SealingKey {
  /** Unique within the model of the channel. */
  readonly name: string;
  readonly key: string;
}

/** One attempt to append a run of events to a channel. */
export interface Append {
  readonly channel: ChannelKey;
  readonly producer: Producer;
  /** None where it is refused, or where a model decided that nothing changes: then the outcome is the channel's head. Ids: `idsOf`. */
  readonly events: readonly NewEvent[];
  /** Decided before the log was asked (validation, rights): stored as the outcome instead of events. */
  readonly refusal?: Refusal | undefined;
  /** The events are a model's; so is the refusal, which counts on the expected history alone, and changes nothing of the model. */
  readonly model?: ModelAppend | undefined;
  /** The newest fencing token of a lock, as the one who writes knows it: another one is refused (`stale-fence`). */
  readonly fence?: FenceToken | undefined;
  /**
   * The node's clock. An event's time is the later of this and its predecessor's. A model's events were decided for this time: where the
   * channel's newest event is later, the answer is `conflict`.
   */
  readonly now: number;
  /** Epoch for the channel if this append brings it to life. Random. */
  readonly birth: string;
}

/** The ids of an append's events. */
export function idsOf({ producer, events, model }: Pick<Append, "producer" | "events" | "model">): string[] {
  return events.map((_, index) => {
    const id = eventId(producer.id, producer.seq, index);
    return model ? decidedId(id, model.decision) : id;
  });
}

/**
 * What became of an append. `committed`, `refused` and `archived` settle it now; `settled` repeats an earlier
 * attempt's outcome; the others settle nothing and may be tried again, but for `body-mismatch` and `unknown`.
 *
 * `archived` (a final refusal with code `channel-archived`) comes back as `refused`.
 */
export type AppendResult =
  /** Stored as `offset … offset + events.length - 1`, all at `time`; `tags` has the tag after each of them. See `positionAfter`. */
  | {
      readonly kind: "committed";
      readonly epoch: string;
      readonly offset: number;
      readonly time: number;
      readonly tags: readonly string[];
      /** Tag of the position before `offset`. */
      readonly tagBefore: string;
    }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "settled"; readonly outcome: Outcome }
  | { readonly kind: "out-of-sequence"; readonly expected: number }
  /** The model's history has another tag; or the channel's newest event a later time than the one that was decided for. */
  | { readonly kind: "conflict"; readonly tag: string }
  | { readonly kind: "body-mismatch" }
  /** The producer's marks are gone, or the outcome is older than those that are kept. */
  | { readonly kind: "unknown" }
  | { readonly kind: "producer-quota" };

/** The position after the last event of an append; of one without events, where the channel stood. */
export function positionAfter(committed: Extract<AppendResult, { kind: "committed" }>): Position {
  const { epoch, offset, tags, tagBefore } = committed;
  return { epoch, offset: offset + tags.length - 1, tag: tags[tags.length - 1] ?? tagBefore };
}

/** The stored answer to a settled append: the position after its last event, or the refusal. */
export type Outcome =
  | { readonly kind: "committed"; readonly position: Position }
  | { readonly kind: "refused"; readonly refusal: Refusal };

export interface ReadBounds {
  /** Most events, at least 1; a run is never cut, so that one read may hold more. */
  readonly events: number;
  /** Bytes of payload after which no further run is taken. */
  readonly bytes: number;
}

/** A contiguous piece of history from one read transaction, or why there is none from there. */
export type ReadResult =
  | {
      readonly kind: "run";
      readonly head: Head;
      /** Tag at the position read from. */
      readonly tagBefore: string;
      /** Contiguous from the offset after the one read from; empty at the head. */
      readonly events: readonly LogEvent[];
    }
  | { readonly kind: "reset"; readonly reason: ResetReason; readonly head: Head };

/** A page of history backwards. */
export interface PageResult {
  readonly head: Head;
  /** In order of offset, all before `before`. */
  readonly events: readonly LogEvent[];
}

/** Bounds past which history is trimmed, whole runs, oldest first. */
export interface TrimBounds {
  readonly count?: number | undefined;
  readonly bytes?: number | undefined;
  /** Events before this time go. */
  readonly before?: number | undefined;
}

/** Where a durable consumer stands on a channel. */
export interface ConsumerPosition {
  readonly name: string;
  readonly channel: ChannelKey;
  readonly position: Position;
}

export type LogHealth = { readonly writable: true } | { readonly writable: false; readonly reason: string };

/** How long, how many: the log's own bounds. */
export interface LogBounds {
  /** Outcomes kept per producer and channel (the in-flight window). Default 256. */
  readonly outcomes: number;
  /** Milliseconds since its last use after which a producer's marks may be forgotten. Default 30 days. */
  readonly marksAge: number;
  /** Most marks (producer and channel) of one user. Default 10,000. */
  readonly marksPerUser: number;
}

export const DEFAULT_LOG_BOUNDS: LogBounds = { outcomes: 256, marksAge: 30 * 86_400_000, marksPerUser: 10_000 };

/**
 * The port that stores channels. The log is the truth: what it committed is acknowledged, and nothing else is.
 *
 * Every method rejects with a `TandemError`: `storage-unavailable` when the store cannot be written (or read) now.
 * After a rejected `append` it is not known whether it took effect; trying it again tells.
 *
 * Invariants: offsets of a channel are contiguous from 1 within an epoch; an event once stored is never changed or
 * removed but by `redact` (its payload only), `trim` (whole runs from the front) and `remove` (the channel's life).
 */
export interface Log extends FollowingLog, ModelLog {
  /**
   * Stores a batch in one transaction, each append decided in the order given (see `decideAppend`); resolves once
   * the batch is durable. Appends of other calls may share the commit. Several appends may name one channel or one producer.
   */
  append(batch: readonly Append[]): Promise<AppendResult[]>;
  /**
   * Reads on from a position, in one transaction.
   *
   * @param after a position, checked against the channel's epoch and tags; or an offset, taken as it is
   */
  read(channel: ChannelKey, after: Position | number, bounds: ReadBounds): Promise<ReadResult>;
  /** The newest `limit` events before offset `before` (default: from the head). May hold more: runs are not cut. */
  page(channel: ChannelKey, before: number | undefined, limit: number): Promise<PageResult>;
  /** The heads of channels, in one query, in the order asked. */
  heads(channels: readonly ChannelKey[]): Promise<Head[]>;
  /** All channels that were born or archived, in order of key, after `after`, at most `limit`. */
  channels(after: ChannelKey | undefined, limit: number): Promise<Head[]>;
  /**
   * Trims whole runs from the front until the bounds hold; the newest run stays, and so does everything after the older of the two newest snapshots
   * of each of the channel's models (all of it, while a model has fewer). @returns the head after it
   */
  trim(channel: ChannelKey, bounds: TrimBounds): Promise<Head>;
  /**
   * Erases the payload of one event for good; of a model's event also the stored states that came of it, where the model can be told again without
   * them: from the channel's beginning, or from an older stored state. @returns false when there is no such event (any more) */
  redact(channel: ChannelKey, offset: number): Promise<boolean>;
  /** Archives a channel (it can be read and not written), or takes that back. */
  archive(channel: ChannelKey, archived: boolean): Promise<Head>;
  /** Ends a channel's life: its events go, and the next append begins another epoch. Producers' marks stay. What is
   * not there (unborn, not archived) stays as it is. */
  remove(channel: ChannelKey): Promise<void>;
  /**
   * Forgets the marks of producers minted and last used before `now - marksAge`. The log remembers until when they were
   * minted (the horizon): an older producer without a mark is answered `unknown` from then on. @returns how many
   */
  forgetProducers(now: number): Promise<number>;
  loadConsumer(name: string, channel: ChannelKey): Promise<Position | undefined>;
  saveConsumer(position: ConsumerPosition): Promise<void>;
  health(): LogHealth;
  /** Finishes what was begun, then lets go of the store. */
  close(): Promise<void>;
}
