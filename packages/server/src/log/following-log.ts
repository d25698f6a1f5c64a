/** A user of a tenant, as whoever follows channels. */
export interface Follower {
  readonly tenant: string;
  readonly user: string;
}

/** The channels that a user follows. */
export interface StoredFollowing {
  /** Rises with every change that is done; 0: there never was one. */
  readonly version: number;
  /** In the order in which they were added; those of one time in the order of their names. */
  readonly channels: readonly string[];
}

/** Whose lists are of another version, each user once, in order of the newest. */
export interface FollowingChanges {
  /** The newest version of any list; 0: there is none. */
  readonly newest: number;
  readonly changes: readonly (Follower & { readonly version: number })[];
}

/**
 * What became of a change: `done`, it is so, whoever made it so; `outdated`, the list is of another version than the one that it was
 * asked on, and nothing was done. With the version that the list is of now: what is done raises it even where it was so already, so that
 * what was asked before and comes late does not undo it.
 */
export type ChangeOutcome =
  | { readonly kind: "done"; readonly version: number }
  | { readonly kind: "full" }
  | { readonly kind: "outdated"; readonly version: number };

/**
 * The part of the log that keeps who follows what. Versions are of one count for all users. Rejects as the log does; after a rejected
 * change it is not known whether it took effect, or will: it does so only on the version that it was asked on, so that
 * it undoes nothing that was changed since.
 */
export interface FollowingLog {
  /**
   * Adds a channel to a user's list, where it is not in it already. Resolves when that is durable.
   *
   * @param version of the list as who asks knows it
   * @param most channels that the list may have; with more, it is `full`
   * @param now the node's clock
   */
  follow(follower: Follower, channel: string, version: number, most: number, now: number): Promise<ChangeOutcome>;
  /** Takes a channel from a user's list, likewise. */
  unfollow(follower: Follower, channel: string, version: number): Promise<ChangeOutcome>;
  following(follower: Follower): Promise<StoredFollowing>;
  /** The changes after a version, at most `limit`. */
  followingChanges(after: number, limit: number): Promise<FollowingChanges>;
}
