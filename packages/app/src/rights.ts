/** What a user may do on a channel. `admin` includes every other right. */
export const RIGHTS = ["read", "publish", "signal", "presence", "write", "admin"] as const;

export type Right = (typeof RIGHTS)[number];

/** Rights by channel pattern (`room:42`, `room:team-*`, `room:*`, `*`), as a token's claim `grants` carries them. */
export type Grants = Readonly<Record<string, readonly Right[]>>;

/** Who asks. */
export interface Viewer {
  readonly tenant: string;
  /** Unique within the tenant. A guest's begins with `guest~`. */
  readonly user: string;
  readonly name: string | undefined;
  readonly guest: boolean;
}

/** What a channel type's `access` function decides on. */
export interface AccessRequest {
  readonly viewer: Viewer;
  /** The channel's full name: `room:42`. */
  readonly channel: string;
  /** The id in it: `42`. */
  readonly id: string;
  /** The rights that the viewer's token (or the guests' definition) grants on this channel; `read` on the viewer's own: `user:{id}`, `tenant:all`. */
  readonly granted: readonly Right[];
}

/** Decides the viewer's rights on a channel. Called once per connection and channel, and again after `invalidate()`. */
export type Access = (request: AccessRequest) => readonly Right[] | Promise<readonly Right[]>;
