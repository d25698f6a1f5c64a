import type { Process } from "../process.ts";

/** A user of a tenant. */
export interface Follower {
  readonly tenant: string;
  readonly user: string;
}

/** What a user's list was, from then on. */
export interface State {
  readonly at: number;
  readonly channels: readonly string[];
}

/** A change of a list that somebody asks for. */
export interface Change extends Follower {
  readonly type: "follow" | "unfollow";
  readonly channel: string;
  readonly invokedAt: number;
  /** When it was told to be durable; infinity while it was not: it may be, or may still come to be. */
  answeredAt: number;
  /** When it was told to have failed: nobody asks any more, and what was asked may still come. */
  givenUpAt: number;
}

const NOBODY: State = { at: 0, channels: [] };

/** Called when a user's list is another than before. */
type Listener = (follower: Follower, before: State, now: State) => void;

/** What the store holds of who follows what, and held at every moment: the truth that all that is told of it is held against. */
export class Lists {
  readonly #states = new Map<string, { readonly follower: Follower; readonly states: State[] }>();
  readonly #read: (follower: Follower) => readonly string[];
  readonly #changes: Change[] = [];
  readonly #listeners: Listener[] = [];
  #restoredAt = Number.NEGATIVE_INFINITY;
  /** When last a node was kept from learning what the store holds. */
  readonly disturbedAt: (process: Process) => number;

  /** @param read the list as the store has it now */
  constructor(read: (follower: Follower) => readonly string[], disturbedAt: (process: Process) => number) {
    this.#read = read;
    this.disturbedAt = disturbedAt;
  }

  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Somebody asks for a change. */
  asked(change: Omit<Change, "answeredAt" | "givenUpAt">): Change {
    const asked = { ...change, answeredAt: Number.POSITIVE_INFINITY, givenUpAt: Number.POSITIVE_INFINITY };
    this.#changes.push(asked);
    return asked;
  }

  /** A change was told to be durable. What had been given up before it was asked for comes too late from now on. */
  answered(change: Change, at: number): void {
    for (const other of this.#changes) {
      const isSame = other.tenant === change.tenant && other.user === change.user && other.channel === change.channel;
      const isOver = other === change || (isSame && other.givenUpAt <= change.invokedAt);
      // What was on its way to a store that went back names versions that there may be again.
      if (isOver && other.invokedAt > this.#restoredAt) other.answeredAt = Math.min(other.answeredAt, at);
    }
  }

  /** Those that may have taken effect at a moment, by what was told of them. */
  openAt(at: number, { tenant, user }: Follower): Change[] {
    return this.#changes.filter(
      (change) => change.tenant === tenant && change.user === user && change.invokedAt <= at && change.answeredAt >= at,
    );
  }

  /** The store may have another list of this user now. */
  look(at: number, follower: Follower): void {
    const entry = this.#of(follower);
    const before = entry.states.at(-1) ?? NOBODY;
    const channels = this.#read(follower);
    if (same(before.channels, channels)) return;
    const now = { at, channels };
    entry.states.push(now);
    for (const listener of this.#listeners) listener(follower, before, now);
  }

  /** The store went back: lists are as they were, and any change since is forgotten. */
  restored(at: number): void {
    // …and what was on its way to the store then may still come.
    this.#restoredAt = at;
    for (const change of this.#changes) change.answeredAt = Number.POSITIVE_INFINITY;
    for (const { follower, states } of this.#states.values()) states.push({ at, channels: this.#read(follower) });
  }

  #of({ tenant, user }: Follower) {
    const key = `${tenant}/${user}`;
    const entry = this.#states.get(key) ?? { follower: { tenant, user }, states: [NOBODY] };
    this.#states.set(key, entry);
    return entry;
  }

  /** The states of a user's list, oldest first. */
  states(follower: Follower): readonly State[] {
    return this.#of(follower).states;
  }

  now(follower: Follower): State {
    return this.states(follower).at(-1) ?? NOBODY;
  }

  /** The states that a list had at some moment between these. */
  between(follower: Follower, from: number, to: number): readonly State[] {
    const states = this.states(follower);
    return states.filter(({ at }, index) => at <= to && (states[index + 1]?.at ?? Number.POSITIVE_INFINITY) >= from);
  }
}

/** Do two lists hold the same, in the same order? */
export function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((channel, at) => channel === other[at]);
}
