import type { FollowingList } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { PersonalChannels } from "../access/personal-channels.ts";
import type { ChangeOutcome, Follower, FollowingLog, StoredFollowing } from "../log/following-log.ts";

/** Under this name nodes tell each other that lists have changed. No tenant can have its tenant's name. */
export const FOLLOWING_CHANNEL = "$tandem/following:all";

/** The log is asked this often, in milliseconds, whose lists have changed: another node's word of it may be lost. */
const LOOK_MS = 1_500;

/** Least milliseconds between two looks: a list that changes often is told seldom. */
const PAUSE_MS = 100;

/** Changes that are read at a time. */
const CHANGES = 500;

/** Attempts at a change: more in vain, and other nodes change the same list all the time. */
const TRIES = 8;

/** A list that nobody ever put anything on. */
const NEVER: StoredFollowing = { version: 0, channels: [] };

/** Who is told a user's list whenever it changes. */
export interface Listener {
  following(list: FollowingList): void;
}

/** A change of a list: puts a channel on it, where it is not, or takes it from there. */
export interface Change {
  readonly type: "follow" | "unfollow";
  readonly channel: string;
}

export interface FollowingsPorts {
  readonly log: FollowingLog;
  readonly personal: PersonalChannels;
  readonly runtime: Runtime;
  /** Most channels on a user's list, beside the personal ones. */
  readonly most: number;
  /** Tells the other nodes that some list has changed. */
  tellOthers(): void;
}

/** The list of a user who has connections here. */
interface Entry extends Follower {
  /** Connections of one user: few. */
  listeners: readonly Listener[];
  stored: StoredFollowing | undefined;
}

/**
 * Durable subscriptions: the channels that each connection of a user subscribes to. They are a list and nothing else; what is on
 * it is read like any other channel, with a position that the client holds. The log has the lists; a node knows those of the
 * users that are connected to it, and learns of changes by looking at the versions of all lists.
 */
export class Followings {
  readonly #ports: FollowingsPorts;
  readonly #entries = new Map<string, Entry>();
  /** The last change of each user that is under way. */
  readonly #changing = new Map<string, Promise<void>>();
  /** Changes up to this version are known here; `undefined` before the first look. */
  #seen: number | undefined;
  /** Nobody has a list, by the last look. */
  #unused = false;
  #looking = false;
  #lookAgain = false;
  #timer: Timer | undefined;
  #pause: Timer | undefined;
  #stopped = false;

  constructor(ports: FollowingsPorts) {
    this.#ports = ports;
  }

  start(): void {
    void this.look();
    this.#timer = this.#ports.runtime.timer(LOOK_MS, () => this.start());
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
    this.#pause?.cancel();
  }

  /**
   * Has a connection of a user told the list from now on, whenever it changes; what it is now, `known` tells once this has resolved.
   * Rejects when the log cannot be read: then the connection is not told anything.
   */
  async enter(follower: Follower, listener: Listener): Promise<void> {
    const key = keyOf(follower);
    const { tenant, user } = follower;
    const entry: Entry = this.#entries.get(key) ?? { tenant, user, listeners: [], stored: undefined };
    this.#entries.set(key, entry);
    // `concat` makes the list as long as it is, and no longer.
    entry.listeners = entry.listeners.concat(listener);
    try {
      if (this.#unused) entry.stored ??= NEVER;
      else await this.#read(entry);
    } catch (error) {
      this.leave(follower, listener);
      throw error;
    }
  }

  leave(follower: Follower, listener: Listener): void {
    const key = keyOf(follower);
    const entry = this.#entries.get(key);
    if (!entry) return;
    entry.listeners = entry.listeners.filter((other) => other !== listener);
    if (entry.listeners.length === 0) this.#entries.delete(key);
  }

  /** The list of a user who has entered. */
  known(follower: Follower): FollowingList {
    return this.#list(follower, this.#entries.get(keyOf(follower))?.stored ?? NEVER);
  }

  /** The channels of any user. Rejects when the log cannot be read. */
  async of(follower: Follower): Promise<readonly string[]> {
    return this.#list(follower, await this.#ports.log.following(follower)).channels;
  }

  /**
   * Changes the list of this version, as a client knows it. What the client has asked for once more meanwhile, on another
   * connection, finds another version: however late it comes here, it undoes nothing.
   *
   * @returns the list's version, once that is durable
   * @throws TandemError (by rejection) `conflict`, with the version that the list is of; `too-many-following`
   */
  async change(follower: Follower, change: Change, version: number): Promise<number> {
    if (this.#ports.personal.has(follower.user, change.channel)) return version;
    const outcome = await this.#attempt(follower, change, version);
    if (outcome.kind === "outdated") throw errorOf("conflict", { expected: outcome.version });
    return this.#attempted(outcome);
  }

  /**
   * Changes a list as it stands. Resolves when that is durable. An attempt whose answer was lost, and that comes to the log late, finds another
   * version. Changes of one user wait for each other here; another node's, and those of clients, are met in the log.
   *
   * @throws TandemError (by rejection) `too-many-following`, `overloaded`
   */
  async insist(follower: Follower, change: Change): Promise<void> {
    if (this.#ports.personal.has(follower.user, change.channel)) return;
    const key = keyOf(follower);
    const insist = async (): Promise<void> => {
      let { version } = await this.#ports.log.following(follower);
      for (let tries = 0; tries < TRIES; tries++) {
        const outcome = await this.#attempt(follower, change, version);
        if (outcome.kind !== "outdated") return void this.#attempted(outcome);
        version = outcome.version;
      }
      throw errorOf("overloaded", { retryAfter: LOOK_MS });
    };
    const before = this.#changing.get(key);
    const changing = before ? before.then(insist, insist) : insist();
    this.#changing.set(key, changing);
    try {
      await changing;
    } finally {
      if (this.#changing.get(key) === changing) this.#changing.delete(key);
    }
  }

  #attempt(follower: Follower, { type, channel }: Change, version: number): Promise<ChangeOutcome> {
    const { log, runtime, most } = this.#ports;
    return type === "follow"
      ? log.follow(follower, channel, version, most, runtime.now())
      : log.unfollow(follower, channel, version);
  }

  #attempted(outcome: Exclude<ChangeOutcome, { kind: "outdated" }>): number {
    if (outcome.kind === "full") throw errorOf("too-many-following");
    this.#changed();
    return outcome.version;
  }

  #changed(): void {
    this.#unused = false;
    this.#ports.tellOthers();
    void this.look();
  }

  /** Learns whose lists have changed, and tells those who are concerned. One look at a time; a word during one asks for another. */
  async look(): Promise<void> {
    this.#lookAgain = true;
    if (this.#looking) return;
    this.#looking = true;
    const { runtime } = this.#ports;
    while (this.#lookAgain && !this.#stopped) {
      this.#lookAgain = false;
      try {
        await this.#learn();
      } catch (error) {
        runtime.logger.warn({ error }, "changes of durable subscriptions could not be read");
      }
      if (!this.#stopped) await this.#rest();
    }
    this.#looking = false;
  }

  #rest(): Promise<void> {
    return new Promise((resolve) => {
      this.#pause = this.#ports.runtime.timer(PAUSE_MS, resolve);
    });
  }

  async #learn(): Promise<void> {
    const seen = this.#seen ?? Number.MAX_SAFE_INTEGER;
    const { newest, changes } = await this.#ports.log.followingChanges(seen, CHANGES);
    // At the first look, and where the store has gone back to a past: anything may be otherwise.
    const all = newest < seen;
    const concerned = all
      ? [...this.#entries.values()]
      : changes.flatMap((change) => {
          const entry = this.#entries.get(keyOf(change));
          return entry && change.version > (entry.stored?.version ?? -1) ? [entry] : [];
        });
    if (all && this.#seen !== undefined)
      for (const entry of concerned) entry.stored &&= { ...entry.stored, version: -1 };
    await Promise.all(concerned.map((entry) => this.#read(entry)));
    const more = changes.length === CHANGES;
    this.#seen = more ? changes[CHANGES - 1]?.version : newest;
    this.#unused = newest === 0;
    if (more) this.#lookAgain = true;
  }

  async #read(entry: Entry): Promise<void> {
    const stored = await this.#ports.log.following(entry);
    const before = entry.stored;
    if (before && stored.version <= before.version) return;
    entry.stored = stored;
    if (!before) return;
    const list = this.#list(entry, stored);
    for (const listener of entry.listeners) listener.following(list);
  }

  #list({ user }: Follower, { version, channels }: StoredFollowing): FollowingList {
    return { version, channels: [...this.#ports.personal.of(user), ...channels] };
  }
}

function keyOf({ tenant, user }: Follower): string {
  return `${tenant}/${user}`;
}
