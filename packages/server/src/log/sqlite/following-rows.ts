import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { ChangeOutcome, Follower, FollowingChanges, StoredFollowing } from "../following-log.ts";

const VERSION = "SELECT version FROM ws_subscribers WHERE tenant = ? AND user = ?";

/** Changes who follows what. Every call belongs into a transaction of the committing thread. */
export class FollowingRows {
  readonly #count: StatementSync;
  readonly #version: StatementSync;
  readonly #has: StatementSync;
  readonly #add: StatementSync;
  readonly #drop: StatementSync;
  readonly #touch: StatementSync;

  constructor(database: DatabaseSync) {
    this.#count = database.prepare("SELECT count(*) AS channels FROM ws_subscriptions WHERE tenant = ? AND user = ?");
    this.#version = database.prepare(VERSION);
    this.#has = database.prepare("SELECT 1 FROM ws_subscriptions WHERE tenant = ? AND user = ? AND channel = ?");
    this.#add = database.prepare("INSERT INTO ws_subscriptions (tenant, user, channel, time) VALUES (?, ?, ?, ?)");
    this.#drop = database.prepare("DELETE FROM ws_subscriptions WHERE tenant = ? AND user = ? AND channel = ?");
    this.#touch = database.prepare(
      `INSERT INTO ws_subscribers (version, tenant, user) VALUES ((SELECT coalesce(max(version), 0) + 1 FROM ws_subscribers), ?, ?)
       ON CONFLICT (tenant, user) DO UPDATE SET version = excluded.version`,
    );
  }

  follow({ tenant, user }: Follower, channel: string, version: number, most: number, now: number): ChangeOutcome {
    if (!this.#has.get(tenant, user, channel)) {
      const present = this.#versionOf(tenant, user);
      if (present !== version) return { kind: "outdated", version: present };
      if (Number(this.#count.get(tenant, user)?.channels) >= most) return { kind: "full" };
      this.#add.run(tenant, user, channel, now);
    }
    return this.#touched(tenant, user);
  }

  unfollow({ tenant, user }: Follower, channel: string, version: number): ChangeOutcome {
    if (this.#has.get(tenant, user, channel)) {
      const present = this.#versionOf(tenant, user);
      if (present !== version) return { kind: "outdated", version: present };
      this.#drop.run(tenant, user, channel);
    }
    return this.#touched(tenant, user);
  }

  #touched(tenant: string, user: string): ChangeOutcome {
    this.#touch.run(tenant, user);
    return { kind: "done", version: this.#versionOf(tenant, user) };
  }

  #versionOf(tenant: string, user: string): number {
    return Number(this.#version.get(tenant, user)?.version ?? 0);
  }
}

/** Reads who follows what. Every call belongs into a read transaction. */
export class FollowingHistory {
  readonly #version: StatementSync;
  readonly #channels: StatementSync;
  readonly #newest: StatementSync;
  readonly #changes: StatementSync;

  constructor(database: DatabaseSync) {
    this.#version = database.prepare(VERSION);
    this.#channels = database.prepare(
      "SELECT channel FROM ws_subscriptions WHERE tenant = ? AND user = ? ORDER BY time, channel",
    );
    this.#newest = database.prepare("SELECT coalesce(max(version), 0) AS newest FROM ws_subscribers");
    this.#changes = database.prepare(
      "SELECT tenant, user, version FROM ws_subscribers WHERE version > ? ORDER BY version LIMIT ?",
    );
  }

  of({ tenant, user }: Follower): StoredFollowing {
    const version = Number(this.#version.get(tenant, user)?.version ?? 0);
    return { version, channels: this.#channels.all(tenant, user).map(({ channel }) => String(channel)) };
  }

  changes(after: number, limit: number): FollowingChanges {
    const changes = this.#changes.all(after, limit).map(({ tenant, user, version }) => ({
      tenant: String(tenant),
      user: String(user),
      version: Number(version),
    }));
    return { newest: Number(this.#newest.get()?.newest), changes };
  }
}
