import { Table } from "../table.ts";

/** Who holds a lock, or waits for it: a user (`null`: the application itself), and which of the user's clients, where they are told apart. */
export interface Owner {
  readonly user: string | null;
  /** Told by the client: an id of its own. `""`: any client of the user. */
  readonly owner: string;
}

export interface Holder extends Owner {
  /** When it got the lock, in milliseconds since 1970. */
  readonly since: number;
  /** It loses the lock then, if it does not renew it. */
  readonly until: number;
}

export interface Waiting extends Owner {
  /** How long it wants the lock for, in milliseconds. */
  readonly ttl: number;
}

/** Somebody asks the holder for the lock. */
export interface Asking {
  readonly user: string | null;
  readonly at: number;
  readonly message?: string;
}

/** A lock that is held. Those that are free are not there. */
export interface Lock {
  /** What who writes under the lock brings along: see `protect` of the channel type. */
  readonly token: number;
  /** `undefined` only between the events of one step. */
  readonly holder?: Holder;
  /** First come, first served. */
  readonly queue: readonly Waiting[];
  readonly asking: readonly Asking[];
}

export interface LockState {
  readonly locks: Table<Lock>;
  /** The newest token of all locks, also of those that are free: none ever falls. */
  readonly last: number;
}

/** What happens to locks. Tokens are raised by what gives a lock, and by what takes it away. */
export type LockEvents = {
  granted: Owner & { readonly lock: string; readonly token: number; readonly until: number };
  renewed: { readonly lock: string; readonly until: number };
  released: { readonly lock: string; readonly token: number };
  expired: { readonly lock: string; readonly token: number };
  broken: { readonly lock: string; readonly token: number; readonly reason: string };
  queued: Waiting & { readonly lock: string };
  left: Owner & { readonly lock: string };
  asked: { readonly lock: string; readonly user: string | null; readonly message?: string };
};

export const NO_LOCKS: LockState = { locks: Table.empty(), last: 0 };

export function isSame(a: Owner, b: Owner): boolean {
  return a.user === b.user && a.owner === b.owner;
}

export function granted(state: LockState, data: LockEvents["granted"], time: number): LockState {
  const { lock, token, user, owner, until } = data;
  const queue = state.locks.get(lock)?.queue.filter((waiting) => !isSame(waiting, data)) ?? [];
  const held: Lock = { token, holder: { user, owner, since: time, until }, queue, asking: [] };
  return { locks: state.locks.set(lock, held), last: Math.max(state.last, token) };
}

/** The lock has no holder any more: it is gone, but for those who wait. */
export function freed(state: LockState, { lock, token }: LockEvents["released"]): LockState {
  const locks = state.locks.update(lock, (before) =>
    before && before.queue.length > 0 ? { token, queue: before.queue, asking: [] } : undefined,
  );
  return { locks, last: Math.max(state.last, token) };
}

/** A state in which a lock is what `change` makes of it. */
export function altered(state: LockState, lock: string, change: (before: Lock) => Lock): LockState {
  return { ...state, locks: state.locks.update(lock, (before) => before && change(before)) };
}
