import type { Position } from "@tandem/protocol";
import type { ChannelKey, SealingKey } from "./log.ts";

/** When a model of a channel has to be asked again by time itself. */
export interface Deadline {
  readonly channel: ChannelKey;
  readonly model: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** The keys of a model of a channel. */
export interface ModelKeys {
  /** The tag of the model's history that they go with. */
  readonly tag: string;
  /** In order of their names. */
  readonly keys: readonly SealingKey[];
}

/** Snapshots kept of each model. */
export const SNAPSHOTS = 2;

/** A stored state of a model. */
export interface SnapshotHead {
  readonly channel: ChannelKey;
  readonly model: string;
  /** The version of the model that made the state. */
  readonly version: number;
  /** The state after this. */
  readonly position: Position;
  /** The tag of the model's history there. */
  readonly tag: string;
}

/** A snapshot of which everything is stored. */
export interface StoredSnapshot extends SnapshotHead {
  /** It is whole with so many: it may go at any time, also while it is read. */
  readonly pieces: number;
}

/** What the log keeps of models beside their events. Each method rejects as those of `Log` do. */
export interface ModelLog {
  /** The earliest deadlines in channels that are not archived, in order of their time, at most `limit`. */
  deadlines(limit: number): Promise<Deadline[]>;
  keys(channel: ChannelKey, model: string): Promise<ModelKeys>;
  /**
   * Stores a state, piece by piece, each in a commit of its own; it counts once the last of them is durable. The two newest snapshots of a model in
   * this life of its channel are kept. One that is not newer than those that are kept, or of another life, or from which the log cannot be read on, is
   * thrown away; so is one that is not whole when the next of its model is begun.
   *
   * @param pieces JSON texts, asked for as they can be taken
   */
  saveSnapshot(head: SnapshotHead, pieces: Iterable<string>): Promise<void>;
  /** The whole snapshots of a model in this life of its channel, the newest first. */
  snapshots(channel: ChannelKey, model: string): Promise<StoredSnapshot[]>;
  /** A piece of a snapshot, by its index from 0; `undefined` after the last, and where the snapshot is gone. */
  snapshotPiece(head: SnapshotHead, index: number): Promise<string | undefined>;
}

/** The name of the model that an event of this type is of; `undefined` where it is the channel's own. */
export function modelNamed(type: string): string | undefined {
  const dot = type.indexOf(".");
  return dot < 0 ? undefined : type.slice(0, dot);
}
