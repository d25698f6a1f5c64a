import * as v from "valibot";
import type { Context, Decision, Made } from "../decision.ts";
import { reasons, reject } from "../decision.ts";
import { tokensAfter } from "../fencing.ts";
import type { Fence } from "../model.ts";
import { defineModel } from "../model.ts";
import type { Lock, LockEvents, Owner, Waiting } from "./state.ts";
import { altered, freed, granted, isSame, NO_LOCKS } from "./state.ts";

export interface LockOptions {
  /** How long a lock is held without being renewed, in milliseconds, where `acquire` does not say. Default 60,000. */
  readonly ttl?: number;
  /** The longest time that `acquire` may ask for. Default 3,600,000. */
  readonly longest?: number;
  /** Most locks held at once. Default 256. */
  readonly most?: number;
  /** Most who wait for one lock. Default 64. */
  readonly queue?: number;
}

export type LockReason =
  /** Somebody else has it. */
  | { readonly code: "held"; readonly user: string | null; readonly owner: string; readonly until: number }
  /** It takes the lock, and who asks does not hold it (any more). */
  | { readonly code: "not-held" }
  /** There are as many locks, or as many who wait, as there may be. */
  | { readonly code: "full"; readonly most: number }
  /** Nobody holds it. */
  | { readonly code: "free" };

/** Locks that one passing of the deadline ends: two events each. */
const ENDED = 500;

type Decided = Decision<LockEvents, LockReason>;

const Name = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Client = v.optional(v.pipe(v.string(), v.maxLength(64)), "");
const User = v.nullable(v.pipe(v.string(), v.minLength(1), v.maxLength(256)));
const Words = v.pipe(v.string(), v.maxLength(500));

/**
 * Locks by name, each with one holder at a time and a queue. A lock that is not renewed expires and goes to who waits longest. Each grant has a fencing token that is
 * higher than all before it, and so has each end: what `protect` of the channel type puts under the lock `{model}/{name}` is refused from any other than its holder,
 * also where the holder does not know yet that it lost the lock, and where nobody holds it.
 *
 * @example
 * channel({ models: { locks: lock() }, protect: (write) => "event" in write && write.event === "saved" ? "locks/draft" : undefined, … })
 * @throws RangeError on a time or a bound that cannot be
 */
export function lock({ ttl = 60_000, longest = 3_600_000, most = 256, queue = 64 }: LockOptions = {}) {
  for (const bound of [ttl, longest, most]) {
    if (!Number.isSafeInteger(bound) || bound < 1)
      throw new RangeError("ttl, longest and most are whole numbers from 1");
  }
  if (!Number.isSafeInteger(queue) || queue < 0) throw new RangeError("queue is a whole number");
  if (ttl > longest) throw new RangeError("ttl is at most longest");
  const Time = v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(longest)), ttl);

  return defineModel({
    name: "lock",
    reasons: reasons<LockReason>(),
    initial: () => NO_LOCKS,
    events: {
      granted: (state, data: LockEvents["granted"], { time }) => granted(state, data, time),
      renewed: (state, { lock, until }: LockEvents["renewed"]) =>
        altered(state, lock, (held) => (held.holder ? { ...held, holder: { ...held.holder, until } } : held)),
      released: (state, data: LockEvents["released"]) => freed(state, data),
      expired: (state, data: LockEvents["expired"]) => freed(state, data),
      broken: (state, data: LockEvents["broken"]) => freed(state, data),
      queued: (state, { lock, ...waiting }: LockEvents["queued"]) =>
        altered(state, lock, (held) => ({ ...held, queue: [...held.queue, waiting] })),
      left: (state, { lock, ...owner }: LockEvents["left"]) =>
        altered(state, lock, (held) => ({ ...held, queue: held.queue.filter((waiting) => !isSame(waiting, owner)) })),
      asked: (state, { lock, ...asking }: LockEvents["asked"], { time }) =>
        altered(state, lock, (held) => ({
          ...held,
          asking: [...held.asking.filter(({ user }) => user !== asking.user), { ...asking, at: time }],
        })),
    },
    commands: {
      /** Takes the lock, or waits for it; who holds it already renews it. */
      acquire: {
        /** `wait: false`: now or not at all. */
        input: v.strictObject({ lock: Name, owner: Client, ttl: Time, wait: v.optional(v.boolean(), true) }),
        decide: (state, { lock: name, owner, ttl: wanted, wait }, context): Decided => {
          const me: Waiting = { ...ownerOf(context, owner), ttl: wanted };
          const next = tokensAfter(state.last, context.time);
          const held = state.locks.get(name);
          if (!held?.holder) {
            return state.locks.size >= most ? reject("full", { most }) : [grant(name, me, next(), context.time)];
          }
          const until = context.time + wanted;
          if (isLate(held, context.time)) {
            // Its deadline is late: what it would do is done first.
            const ended: Made<LockEvents>[] = [{ type: "expired", data: { lock: name, token: next() } }];
            const [first = me] = held.queue;
            ended.push(grant(name, first, next(), context.time));
            if (isSame(first, me) || isWaiting(held, me)) return ended;
            if (!wait) return reject("held", { user: first.user, owner: first.owner, until: context.time + first.ttl });
            return held.queue.length > queue ? reject("full", { most: queue }) : [...ended, queued(name, me)];
          }
          if (isSame(held.holder, me)) return [{ type: "renewed", data: { lock: name, until } }];
          if (isWaiting(held, me)) return [];
          const { user, owner: other, until: end } = held.holder;
          if (!wait) return reject("held", { user, owner: other, until: end });
          return held.queue.length >= queue ? reject("full", { most: queue }) : [queued(name, me)];
        },
      },
      renew: {
        input: v.strictObject({ lock: Name, owner: Client, ttl: Time }),
        decide: (state, { lock: name, owner, ttl: wanted }, context): Decided => {
          if (!holds(state.locks.get(name), context, owner)) return reject("not-held");
          return [{ type: "renewed", data: { lock: name, until: context.time + wanted } }];
        },
      },
      release: {
        input: v.strictObject({ lock: Name, owner: Client }),
        decide: (state, { lock: name, owner }, context): Decided => {
          const held = state.locks.get(name);
          if (!held || !holds(held, context, owner)) return reject("not-held");
          const next = tokensAfter(state.last, context.time);
          const released: Made<LockEvents> = { type: "released", data: { lock: name, token: next() } };
          return [released, ...grantNext(name, held, next, context.time)];
        },
      },
      /** Gives it to a user: one who waits, or any other. */
      handOver: {
        input: v.strictObject({
          lock: Name,
          owner: Client,
          to: User,
          toOwner: v.optional(v.pipe(v.string(), v.maxLength(64))),
        }),
        decide: (state, { lock: name, owner, to, toOwner }, context): Decided => {
          const held = state.locks.get(name);
          if (!held || !holds(held, context, owner)) return reject("not-held");
          const waiting = held.queue.find(({ user, owner: one }) => user === to && (toOwner ?? one) === one);
          const heir: Waiting = waiting ?? { user: to, owner: toOwner ?? "", ttl };
          if (isSame(heir, ownerOf(context, owner))) return [];
          const next = tokensAfter(state.last, context.time);
          return [{ type: "released", data: { lock: name, token: next() } }, grant(name, heir, next(), context.time)];
        },
      },
      /** Asks the holder for it; the holder sees that. */
      request: {
        input: v.strictObject({ lock: Name, message: v.optional(Words) }),
        decide: (state, { lock: name, message }, context): Decided => {
          const held = state.locks.get(name);
          const user = context.user ?? null;
          if (!held?.holder) return reject("free");
          if (held.holder.user === user) return [];
          const others = held.asking.filter((asking) => asking.user !== user);
          if (others.length >= queue) return reject("full", { most: queue });
          return [{ type: "asked", data: { lock: name, user, ...(message !== undefined && { message }) } }];
        },
      },
      /** Takes it from its holder. */
      break: {
        right: "admin",
        input: v.strictObject({ lock: Name, reason: Words }),
        decide: (state, { lock: name, reason }, { time }): Decided => {
          const held = state.locks.get(name);
          if (!held) return reject("free");
          const next = tokensAfter(state.last, time);
          const broken: Made<LockEvents> = { type: "broken", data: { lock: name, token: next(), reason } };
          return [broken, ...grantNext(name, held, next, time)];
        },
      },
      /** Waits no longer. */
      leave: {
        input: v.strictObject({ lock: Name, owner: Client }),
        decide: (state, { lock: name, owner }, context): Decided => {
          const me = ownerOf(context, owner);
          const held = state.locks.get(name);
          return held && isWaiting(held, me) ? [{ type: "left", data: { lock: name, ...me } }] : [];
        },
      },
    },
    deadline: ({ locks }) => {
      let first: number | undefined;
      for (const { holder } of locks.values()) {
        if (holder && (first === undefined || holder.until < first)) first = holder.until;
      }
      return first;
    },
    // Those that are late and do not fit are next at once: their deadline has passed.
    onDeadline: (state, { time }) => {
      const next = tokensAfter(state.last, time);
      const made: Made<LockEvents>[] = [];
      for (const [name, held] of state.locks) {
        if (!isLate(held, time)) continue;
        if (made.length >= 2 * ENDED) break;
        made.push({ type: "expired", data: { lock: name, token: next() } });
        made.push(...grantNext(name, held, next, time));
      }
      return made;
    },
    fence: ({ type, data }): Fence | undefined =>
      "token" in data ? { name: data.lock, token: data.token, free: type !== "granted" } : undefined,
    touches: ({ data }) => [data.lock],
  });
}

function ownerOf({ user }: Context, owner: string): Owner {
  return { user: user ?? null, owner };
}

/** Does who asks hold it, in time? */
function holds(held: Lock | undefined, context: Context, owner: string): boolean {
  return held?.holder !== undefined && isSame(held.holder, ownerOf(context, owner)) && !isLate(held, context.time);
}

function isLate({ holder }: Lock, time: number): boolean {
  return holder !== undefined && holder.until <= time;
}

function isWaiting({ queue }: Lock, me: Owner): boolean {
  return queue.some((waiting) => isSame(waiting, me));
}

function queued(lock: string, { user, owner, ttl }: Waiting): Made<LockEvents> {
  return { type: "queued", data: { lock, user, owner, ttl } };
}

function grant(lock: string, { user, owner, ttl }: Waiting, token: number, time: number): Made<LockEvents> {
  return { type: "granted", data: { lock, user, owner, token, until: time + ttl } };
}

function grantNext(lock: string, { queue: [first] }: Lock, next: () => number, time: number): Made<LockEvents>[] {
  return first ? [grant(lock, first, next(), time)] : [];
}
