import type { Lock } from "@tandem/model";
import type { NameOf } from "../people/names.ts";
import type { Stage } from "../tools/commands.ts";

/** A lock as its reader sees it. */
export type LockView =
  | { readonly kind: "free" }
  /** The reader has asked for it or given it away, and the server has not answered. */
  | { readonly kind: "asking"; readonly stage: Stage }
  /** `until`: it runs out then, in milliseconds since 1970. */
  | {
      readonly kind: "mine";
      readonly until: number;
      readonly token: number;
      readonly asking: readonly { readonly user: string | null; readonly name: string }[];
      readonly waiting: readonly string[];
    }
  /** `elsewhere`: by the reader, in another window. `place`: the reader's in the line, from 1. */
  | {
      readonly kind: "held";
      readonly by: string;
      readonly elsewhere: boolean;
      readonly until: number;
      readonly place: number | undefined;
      readonly waiting: readonly string[];
    };

interface Reader {
  readonly user: string | undefined;
  /** The reader's window. */
  readonly owner: string;
  readonly nameOf: NameOf;
  /** Of an own command that takes the lock, or gives it away. */
  readonly stage: Stage | undefined;
}

/**
 * What a lock is to a reader. An own command on its way changes it for certain only when it is answered: also its token is the server's to give, so
 * that nothing is written under a lock that is only thought to be held.
 */
export function lockView(lock: Lock | undefined, { user, owner, nameOf, stage }: Reader): LockView {
  if (stage !== undefined) return { kind: "asking", stage };
  const holder = lock?.holder;
  if (!lock || !holder) return { kind: "free" };
  const waiting = lock.queue.map((one) => nameOf(one.user));
  const { until } = holder;
  if (holder.user === user && holder.owner === owner) {
    const asking = lock.asking.map((one) => ({ user: one.user, name: nameOf(one.user) }));
    return { kind: "mine", until, token: lock.token, asking, waiting };
  }
  const place = lock.queue.findIndex((one) => one.user === user && one.owner === owner);
  return {
    kind: "held",
    by: nameOf(holder.user),
    elsewhere: holder.user === user,
    until,
    place: place < 0 ? undefined : place + 1,
    waiting,
  };
}
