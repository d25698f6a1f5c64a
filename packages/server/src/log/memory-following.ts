import type { ChangeOutcome, Follower, FollowingChanges, StoredFollowing } from "./following-log.ts";

interface List extends Follower {
  version: number;
  /** When each was added. */
  readonly channels: Map<string, number>;
}

/** Who follows what, in memory. */
export class MemoryFollowing {
  readonly #lists = new Map<string, List>();
  #newest = 0;

  follow(follower: Follower, channel: string, version: number, most: number, now: number): ChangeOutcome {
    const list = this.#of(follower);
    if (!list.channels.has(channel)) {
      if (list.version !== version) return { kind: "outdated", version: list.version };
      if (list.channels.size >= most) return { kind: "full" };
      list.channels.set(channel, now);
    }
    return this.#touch(list);
  }

  unfollow(follower: Follower, channel: string, version: number): ChangeOutcome {
    const list = this.#of(follower);
    if (list.channels.has(channel)) {
      if (list.version !== version) return { kind: "outdated", version: list.version };
      list.channels.delete(channel);
    }
    return this.#touch(list);
  }

  #of({ tenant, user }: Follower): List {
    return this.#lists.get(keyOf({ tenant, user })) ?? { tenant, user, version: 0, channels: new Map() };
  }

  #touch(list: List): ChangeOutcome {
    list.version = ++this.#newest;
    this.#lists.set(keyOf(list), list);
    return { kind: "done", version: list.version };
  }

  of(follower: Follower): StoredFollowing {
    const list = this.#lists.get(keyOf(follower));
    const added = [...(list?.channels ?? [])].sort(([a, then], [b, now]) => then - now || (a < b ? -1 : 1));
    return { version: list?.version ?? 0, channels: added.map(([channel]) => channel) };
  }

  changes(after: number, limit: number): FollowingChanges {
    const changes = [...this.#lists.values()]
      .filter(({ version }) => version > after)
      .sort((a, b) => a.version - b.version)
      .slice(0, limit)
      .map(({ tenant, user, version }) => ({ tenant, user, version }));
    return { newest: this.#newest, changes };
  }

  clone(): MemoryFollowing {
    const copy = new MemoryFollowing();
    copy.#newest = this.#newest;
    for (const [key, list] of this.#lists) copy.#lists.set(key, { ...list, channels: new Map(list.channels) });
    return copy;
  }
}

function keyOf({ tenant, user }: Follower): string {
  return `${tenant}/${user}`;
}
