import type { Position } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { ChannelKey, Log } from "@tandem/server/core";
import type { Clock } from "./clock.ts";
import type { Follower, Lists } from "./following/lists.ts";
import type { Ledger } from "./ledger.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** How badly the storage of a schedule behaves. */
export interface StorageWeather {
  /** Mean time of a commit and of a read, in milliseconds. */
  commit: number;
  read: number;
  /** Share of commits that are refused and do nothing. */
  refused: number;
  /** Share of commits that are done, and their reply is lost. */
  replyLost: number;
  /** Share of commits whose reply is lost and that are done only later. */
  late: number;
  /** Share of reads that fail. */
  readFailed: number;
}

/**
 * The one store that all nodes share, with a network of its own before it: calls take time and overtake each other,
 * fail, or fail to tell that they did not. What really was done goes into the ledger.
 */
export class Storage {
  readonly weather: StorageWeather;
  /** Nothing is answered before then. */
  stalledUntil = 0;
  /** Commits are refused until then: the disk is full. */
  fullUntil = 0;
  /** One node's reads fail until then. */
  readonly deaf = { process: undefined as Process | undefined, until: Number.NEGATIVE_INFINITY };
  /** Is told where a consumer goes on that is started. */
  onConsumerLoaded: ((name: string, channel: ChannelKey, position: Position | undefined) => void) | undefined;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ledger: Ledger;
  readonly #tally: Tally;
  readonly #store: Log;
  readonly #lists: Lists;
  /** Called when something kept a node from the store. */
  readonly #disturbed: () => void;

  constructor(options: {
    clock: Clock;
    random: Random;
    weather: StorageWeather;
    store: Log;
    ledger: Ledger;
    lists: Lists;
    tally: Tally;
    disturbed: () => void;
  }) {
    this.#clock = options.clock;
    this.#random = options.random;
    this.weather = options.weather;
    this.#store = options.store;
    this.#ledger = options.ledger;
    this.#lists = options.lists;
    this.#tally = options.tally;
    this.#disturbed = options.disturbed;
  }

  /** The store itself, without faults. */
  get store(): Log {
    return this.#store;
  }

  /** The log as one node's process sees it. */
  handle(process: Process): Log {
    const write = <T>(run: (store: Log) => Promise<T>) => this.#write(process, run);
    const read = <T>(run: (store: Log) => Promise<T>) => this.#read(process, run);
    const change = <T>(follower: Follower, run: (store: Log) => Promise<T>) =>
      write(async (store) => {
        const done = await run(store);
        this.#lists.look(clock.now, follower);
        return done;
      });
    const ledger = this.#ledger;
    const clock = this.#clock;
    return {
      append: (batch) =>
        write(async (store) => {
          const results = await store.append(batch);
          ledger.committed(clock.now, batch, results);
          for (const result of results) this.#tally.count("path", `append.${result.kind}`);
          return results;
        }),
      read: (channel, after, bounds) => read((store) => store.read(channel, after, bounds)),
      page: (channel, before, limit) => read((store) => store.page(channel, before, limit)),
      heads: (channels) => read((store) => store.heads(channels)),
      channels: (after, limit) => read((store) => store.channels(after, limit)),
      trim: (channel, bounds) =>
        write(async (store) => {
          const head = await store.trim(channel, bounds);
          if (ledger.trimmed(channel, head.first)) this.#tally.count("fault", "trim");
          return head;
        }),
      redact: (channel, offset) =>
        write(async (store) => {
          const done = await store.redact(channel, offset);
          if (done) ledger.redacted(clock.now, channel, offset);
          return done;
        }),
      archive: (channel, archived) => write((store) => store.archive(channel, archived)),
      remove: (channel) =>
        write(async (store) => {
          await store.remove(channel);
          ledger.removed(clock.now, channel);
        }),
      forgetProducers: (now) => write((store) => store.forgetProducers(now)),
      loadConsumer: (name, channel) =>
        read(async (store) => {
          const position = await store.loadConsumer(name, channel);
          this.onConsumerLoaded?.(name, channel, position);
          return position;
        }),
      saveConsumer: (position) => write((store) => store.saveConsumer(position)),
      follow: (follower, ...following) => change(follower, (store) => store.follow(follower, ...following)),
      unfollow: (follower, ...following) => change(follower, (store) => store.unfollow(follower, ...following)),
      following: (follower) => read((store) => store.following(follower)),
      followingChanges: (after, limit) => read((store) => store.followingChanges(after, limit)),
      deadlines: (limit) => read((store) => store.deadlines(limit)),
      keys: (channel, model) => read((store) => store.keys(channel, model)),
      saveSnapshot: (head, pieces) => write((store) => store.saveSnapshot(head, pieces)),
      snapshots: (channel, model) => read((store) => store.snapshots(channel, model)),
      snapshotPiece: (head, index) => read((store) => store.snapshotPiece(head, index)),
      health: () =>
        clock.now < this.fullUntil ? { writable: false, reason: "the disk is full" } : this.#store.health(),
      close: () => Promise.resolve(),
    };
  }

  #read<T>(process: Process, run: (store: Log) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const there = this.#random.around(this.weather.read / 2);
      this.#clock.after(this.#stall() + there, undefined, () => {
        if (!process.alive) return;
        const back = this.#stall() + this.#random.around(this.weather.read / 2);
        const isDeaf = this.deaf.process === process && this.#clock.now < this.deaf.until;
        if (isDeaf || this.#random.chance(this.weather.readFailed)) {
          this.#tally.count("fault", "read-failed");
          this.#disturbed();
          this.#clock.after(back, process, () => reject(unavailable("The read failed.")));
          return;
        }
        const reply = (settle: () => void) => void this.#clock.after(back, process, settle);
        run(this.#store).then(
          (value) => reply(() => resolve(value)),
          (error) => reply(() => reject(error)),
        );
      });
    });
  }

  #write<T>(process: Process, run: (store: Log) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const { weather } = this;
      const there = this.#random.around(weather.commit / 2);
      this.#clock.after(this.#stall() + there, undefined, () => {
        const back = this.#stall() + this.#random.around(weather.commit / 2);
        const fail = (name: string, message: string) => {
          this.#tally.count("fault", name);
          this.#disturbed();
          this.#clock.after(back, process, () => reject(unavailable(message)));
        };
        if (this.#clock.now < this.fullUntil) return fail("disk-full", "The disk is full.");
        if (this.#random.chance(weather.refused)) return fail("commit-refused", "The commit was refused.");
        if (this.#random.chance(weather.late)) {
          fail("commit-late", "No reply came.");
          this.#clock.after(this.#random.around(400), undefined, () => void run(this.#store));
          return;
        }
        // A node that died with a call on its way: nobody can tell whether it arrived.
        if (!process.alive && this.#random.chance(0.5)) return;
        const lost = this.#random.chance(weather.replyLost);
        const ledger = this.#ledger;
        const before = ledger.commits;
        run(this.#store).then(
          (value) => {
            if (!process.alive) this.#tally.count("fault", "commit-of-the-dead");
            if (lost && ledger.commits > before) this.#tally.count("path", "unknown-commit");
            if (lost) fail("commit-reply-lost", "No reply came.");
            else this.#clock.after(back, process, () => resolve(value));
          },
          (error) => void this.#clock.after(back, process, () => reject(error)),
        );
      });
    });
  }

  #stall(): number {
    return Math.max(0, this.stalledUntil - this.#clock.now);
  }
}

function unavailable(message: string): TandemError {
  return new TandemError("storage-unavailable", message);
}
