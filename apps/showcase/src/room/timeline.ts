import type { Delivery, Draft, Message } from "./message.ts";

/** What is known of the messages before the oldest one held. */
export type Past =
  | { readonly kind: "opening" }
  | { readonly kind: "more" }
  | { readonly kind: "loading" }
  | { readonly kind: "failed"; readonly reason: string }
  /** `complete`: the oldest one held is the first ever; else the ones before it are no longer kept. */
  | { readonly kind: "start"; readonly complete: boolean };

/** A room's messages: those of the log that are held here, then the own ones that the log has not shown yet. */
export interface Timeline {
  /** A run of the log without a gap, in its order. */
  readonly confirmed: readonly Message[];
  /** In the order of writing. A message is never in both lists. */
  readonly drafts: readonly Draft[];
  readonly past: Past;
  /** Offset of the oldest event of the log that was looked through, a message or not; undefined: none yet. */
  readonly from: number | undefined;
  /** Does the reader see the newest message? */
  readonly following: boolean;
  /** Messages of others that came since the reader last did. */
  readonly unread: number;
}

export type Action =
  /** The log went on. `from`: offset of the first event that came; not all of them are messages. `self`: the reader's user. */
  | {
      readonly type: "arrived";
      readonly messages: readonly Message[];
      readonly from: number | undefined;
      readonly self: string | undefined;
    }
  /** The subscription stands; `head` is the offset it has reached. */
  | { readonly type: "live"; readonly head: number }
  | { readonly type: "loading" }
  /** A page of history that ends right before the oldest event looked through. `from`: its first event's offset; `more`: there is another one before it. */
  | {
      readonly type: "page";
      readonly messages: readonly Message[];
      readonly from: number | undefined;
      readonly more: boolean;
    }
  | { readonly type: "page-failed"; readonly reason: string }
  | { readonly type: "written"; readonly draft: Draft }
  | { readonly type: "progress"; readonly key: string; readonly id: string | undefined; readonly delivery: Delivery }
  | { readonly type: "removed"; readonly key: string }
  | { readonly type: "following"; readonly following: boolean }
  /** The history held is not that of the log any more. */
  | { readonly type: "reset" };

/** Most messages held while the reader follows the newest: older ones are fetched again when they are asked for. */
const HELD_WHILE_FOLLOWING = 2_000;
/** Most messages held at all; also what the log keeps of a room. */
const HELD = 100_000;
/** Most own messages held that are not in the log; settled ones go first. */
const DRAFTS_HELD = 2_000;

export const EMPTY_TIMELINE: Timeline = {
  confirmed: [],
  drafts: [],
  past: { kind: "opening" },
  from: undefined,
  following: true,
  unread: 0,
};

/** The next timeline. Gives back the same object where nothing changes. */
export function reduce(timeline: Timeline, action: Action): Timeline {
  switch (action.type) {
    case "arrived":
      return withArrived(lookedThrough(timeline, action.from), action.messages, action.self);
    case "live":
      if (timeline.past.kind === "failed") return { ...timeline, past: { kind: "more" } };
      if (timeline.past.kind !== "opening") return timeline;
      return { ...timeline, past: pastAt(timeline.from ?? action.head + 1, action.head > 0) };
    case "loading":
      return { ...timeline, past: { kind: "loading" } };
    case "page":
      return withPage(timeline, action);
    case "page-failed":
      return { ...timeline, past: { kind: "failed", reason: action.reason } };
    case "written":
      return { ...timeline, drafts: bounded([...timeline.drafts, action.draft]) };
    case "progress":
      return withProgress(timeline, action.key, action.id, action.delivery);
    case "removed":
      return withoutDrafts(timeline, new Set([action.key]));
    case "following":
      if (timeline.following === action.following) return timeline;
      return { ...timeline, following: action.following, unread: action.following ? 0 : timeline.unread };
    case "reset":
      // What was stored comes back with the log's history; what was not still waits.
      return {
        ...timeline,
        confirmed: [],
        drafts: timeline.drafts.filter((draft) => draft.delivery.kind !== "durable"),
        past: { kind: "opening" },
        from: undefined,
        unread: 0,
      };
  }
}

function lookedThrough(timeline: Timeline, from: number | undefined): Timeline {
  return timeline.from === undefined && from !== undefined ? { ...timeline, from } : timeline;
}

function withArrived(timeline: Timeline, messages: readonly Message[], self: string | undefined): Timeline {
  const newest = timeline.confirmed.at(-1)?.offset ?? 0;
  const came = messages.filter((message) => message.offset > newest);
  if (came.length === 0) return timeline;
  const { fresh, keys } = recognised(timeline, came);
  const all = [...timeline.confirmed, ...fresh];
  const most = timeline.following ? HELD_WHILE_FOLLOWING : HELD;
  // A page under way is to end right before the oldest message.
  const cut = all.length > most && timeline.past.kind !== "loading";
  const foreign = fresh.filter(({ key, author }) => !keys.has(key) && (self === undefined || author !== self));
  return withoutDrafts(
    {
      ...timeline,
      confirmed: cut ? all.slice(-most) : all,
      past: cut ? { kind: "more" } : timeline.past,
      from: cut ? all.at(-most)?.offset : timeline.from,
      unread: timeline.following ? 0 : timeline.unread + foreign.length,
    },
    keys,
  );
}

/** Gives messages that were drafts here their rows. `keys`: those of these drafts. */
function recognised(timeline: Timeline, messages: readonly Message[]) {
  const own = new Map(timeline.drafts.map(({ id, key }) => [id, key]));
  const keys = new Set<string>();
  const fresh = messages.map((message) => {
    const key = own.get(message.id);
    if (key === undefined) return message;
    keys.add(key);
    return { ...message, key };
  });
  return { fresh, keys };
}

function withPage(timeline: Timeline, page: Extract<Action, { type: "page" }>): Timeline {
  const oldest = timeline.confirmed[0]?.offset ?? Number.POSITIVE_INFINITY;
  const { fresh, keys } = recognised(
    timeline,
    page.messages.filter((message) => message.offset < oldest),
  );
  const confirmed = fresh.length === 0 ? timeline.confirmed : [...fresh, ...timeline.confirmed];
  const from = page.from ?? timeline.from;
  return withoutDrafts({ ...timeline, confirmed, from, past: pastAt(from, page.more) }, keys);
}

/** @param from offset of the oldest event looked through */
function pastAt(from: number | undefined, more: boolean): Past {
  if (from === 1) return { kind: "start", complete: true };
  return more ? { kind: "more" } : { kind: "start", complete: from === undefined };
}

function withProgress(timeline: Timeline, key: string, id: string | undefined, delivery: Delivery): Timeline {
  const index = timeline.drafts.findIndex((draft) => draft.key === key);
  const draft = timeline.drafts[index];
  // It is in the log already: no word about its delivery can add to that.
  if (draft === undefined) return timeline;
  return { ...timeline, drafts: timeline.drafts.with(index, { ...draft, id, delivery }) };
}

function withoutDrafts(timeline: Timeline, keys: ReadonlySet<string>): Timeline {
  const drafts = timeline.drafts.filter((draft) => !keys.has(draft.key));
  return drafts.length === timeline.drafts.length ? timeline : { ...timeline, drafts };
}

function bounded(drafts: readonly Draft[]): readonly Draft[] {
  if (drafts.length <= DRAFTS_HELD) return drafts;
  const settled = drafts.findIndex(({ delivery }) => delivery.kind !== "queued" && delivery.kind !== "sent");
  return drafts.toSpliced(Math.max(0, settled), 1);
}
