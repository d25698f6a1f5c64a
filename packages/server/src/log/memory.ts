import { TandemError } from "@tandem/protocol";
import type { Log, LogBounds } from "./log.ts";
import { MemoryStore } from "./memory-store.ts";

export interface MemoryLogOptions {
  /** Bounds of a store of its own. Default `DEFAULT_LOG_BOUNDS`. */
  readonly bounds?: Partial<LogBounds>;
  /** The store to share with other logs, as nodes share a database. Default: one of its own. */
  readonly store?: MemoryStore;
}

/**
 * A log in memory, for tests and simulation: the same answers as a durable one, gone with the process. Has no clock, no
 * timers and no chance of its own; an operation takes effect when it is called, and its promise settles as a microtask.
 */
export function createMemoryLog({ bounds, store = new MemoryStore(bounds) }: MemoryLogOptions = {}): Log {
  let open = true;
  // `async`: what is thrown rejects, and the answer never comes before the call has returned.
  const onOpen = async <T>(operation: () => T): Promise<T> => {
    if (!open) throw new TandemError("storage-unavailable", "The log is closed.");
    return operation();
  };
  return {
    append: (batch) => onOpen(() => batch.map((append) => store.append(append))),
    read: (channel, after, bounds) => onOpen(() => store.peek(channel).read(after, bounds)),
    page: (channel, before, limit) => onOpen(() => store.peek(channel).page(before, limit)),
    heads: (channels) => onOpen(() => channels.map((channel) => store.peek(channel).head())),
    channels: (after, limit) => onOpen(() => store.list(after, limit)),
    trim: (channel, bounds) => onOpen(() => store.peek(channel).trim(bounds)),
    redact: (channel, offset) => onOpen(() => store.peek(channel).redact(offset)),
    archive: (channel, archived) => onOpen(() => store.channel(channel).archive(archived)),
    remove: (channel) => onOpen(() => store.peek(channel).remove()),
    forgetProducers: (now) => onOpen(() => store.forgetProducers(now)),
    loadConsumer: (name, channel) => onOpen(() => store.loadConsumer(name, channel)),
    saveConsumer: (position) => onOpen(() => store.saveConsumer(position)),
    follow: (...change) => onOpen(() => store.following.follow(...change)),
    unfollow: (...change) => onOpen(() => store.following.unfollow(...change)),
    following: (follower) => onOpen(() => store.following.of(follower)),
    followingChanges: (after, limit) => onOpen(() => store.following.changes(after, limit)),
    deadlines: (limit) => onOpen(() => store.deadlines(limit)),
    keys: (channel, model) => onOpen(() => store.peek(channel).models.keys(model)),
    saveSnapshot: (head, pieces) => onOpen(() => store.peek(head.channel).saveSnapshot(head, pieces)),
    snapshots: (channel, model) => onOpen(() => store.peek(channel).models.snapshots(model)),
    snapshotPiece: (head, index) => onOpen(() => store.peek(head.channel).models.piece(head, index)),
    health: () => (open ? { writable: true } : { writable: false, reason: "The log is closed." }),
    close: async () => {
      open = false;
    },
  };
}
