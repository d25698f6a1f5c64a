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
  following(channels: readonly string[]): void;
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
interface Entry {
  readonly follower: Follower;
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
  readonly #changing = new Map<string, Promise<ChangeOutcome>>();
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
    const entry = this.#entries.get(key) ?? { follower: { tenant, user }, listeners: [], stored: undefined };
    this.#entries.set(key, entry);
    entry.listeners = [...entry.listeners, listener];
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
  known(follower: Follower): readonly string[] {
    return this.#list(follower, this.#entries.get(keyOf(follower))?.stored ?? NEVER);
  }

  /** The list of any user. Rejects when the log cannot be read. */
  async of(follower: Follower): Promise<readonly string[]> {
    return this.#list(follower, await this.#ports.log.following(follower));
  }

  /** Puts a channel on a user's list. Resolves when that is durable. @throws TandemError (by rejection) `too-many-following` */
  async follow(follower: Follower, channel: string): Promise<void> {
    const { log, personal, runtime, most } = this.#ports;
    if (personal.has(follower.user, channel)) return;
    const outcome = await this.#change(follower, ({ version, channels }) =>
      channels.includes(channel) ? "done" : log.follow(follower, channel, version, most, runtime.now()),
    );
    if (outcome === "full") throw errorOf("too-many-following");
    this.#changed();
  }

  /** Takes a channel from a user's list. Resolves when that is durable. */
  async unfollow(follower: Follower, channel: string): Promise<void> {
    const { log } = this.#ports;
    await this.#change(follower, ({ version, channels }) =>
      channels.includes(channel) ? log.unfollow(follower, channel, version) : "done",
    );
    this.#changed();
  }

  /**
   * Changes a list as it stands: an attempt whose answer was lost, and that comes to the log late, finds another version, and undoes
   * nothing. Changes of one user wait for each other here; another node's are met in the log.
   */
  async #change(
    follower: Follower,
    attempt: (stored: StoredFollowing) => ChangeOutcome | Promise<ChangeOutcome>,
  ): Promise<ChangeOutcome> {
    const key = keyOf(follower);
    const change = async (): Promise<ChangeOutcome> => {
      for (let tries = 0; tries < TRIES; tries++) {
        const outcome = await attempt(await this.#ports.log.following(follower));
        if (outcome !== "outdated") return outcome;
      }
      throw errorOf("overloaded", { retryAfter: LOOK_MS });
    };
    const before = this.#changing.get(key);
    const changing = before ? before.then(change, change) : change();
    this.#changing.set(key, changing);
    try {
      return await changing;
    } finally {
      if (this.#changing.get(key) === changing) this.#changing.delete(key);
    }
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
    const stored = await this.#ports.log.following(entry.follower);
    const before = entry.stored;
    if (before && stored.version <= before.version) return;
    entry.stored = stored;
    if (!before) return;
    const channels = this.#list(entry.follower, stored);
    for (const listener of entry.listeners) listener.following(channels);
  }

  #list({ user }: Follower, { channels }: StoredFollowing): readonly string[] {
    return [...this.#ports.personal.of(user), ...channels];
  }
}

function keyOf({ tenant, user }: Follower): string {
  return `${tenant}/${user}`;
}
