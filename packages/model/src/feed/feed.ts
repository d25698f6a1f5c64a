import * as v from "valibot";
import { checkBounds } from "../bounds.ts";
import { reasons, reject } from "../decision.ts";
import { defineModel } from "../model.ts";
import type { Sequence } from "../sequence.ts";
import { appended, emptySequence, inOrder } from "../sequence.ts";
import { Table } from "../table.ts";

export interface FeedOptions {
  /** Activities that the state keeps, the newest. Default 500. */
  readonly keep?: number;
  /** Most users whose place is kept. Default 5,000. */
  readonly readers?: number;
}

const Label = v.pipe(v.string(), v.minLength(1), v.maxLength(300));

/** Who did what to what. */
const ActivitySchema = v.strictObject({
  /** Default: who posts it. Another one: only admins and the application say what others did. */
  actor: v.optional(Label),
  /** `completed`, `commented on`. */
  verb: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
  object: v.strictObject({
    type: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
    id: Label,
    label: v.optional(Label),
  }),
  importance: v.optional(v.picklist(["low", "normal", "high"]), "normal"),
  data: v.optional(v.unknown()),
});

export interface Activity extends v.InferOutput<typeof ActivitySchema> {
  readonly id: string;
  readonly n: number;
  readonly at: number;
}

export interface FeedState extends Sequence<Activity> {
  /** The number of the newest activity that each user has seen. */
  readonly seen: Table<number>;
}

/** Activities that say the same again and again, shown as one. */
export interface ActivityGroup {
  /** The newest of them. */
  readonly newest: Activity;
  readonly count: number;
  /** The newest first, each once. */
  readonly actors: readonly string[];
}

/** Repeats further apart than this, in milliseconds, stand for themselves. */
const GROUP_MS = 3_600_000;

/**
 * An activity feed: who did what, how much of it each user has not seen, and repeats shown as one.
 *
 * @example
 * channel({ events: {}, models: { feed: feed() } })
 * @throws RangeError on a bound that cannot be
 */
export function feed({ keep = 500, readers = 5_000 }: FeedOptions = {}) {
  checkBounds({ keep, readers });
  return defineModel({
    name: "feed",
    initial: (): FeedState => ({ ...emptySequence<Activity>(), seen: Table.empty() }),
    reasons: reasons<
      /** There is one of this id already: its maker used a command's nonce again. */
      | { readonly code: "exists" }
      | { readonly code: "unknown-activity" }
      | { readonly code: "not-yours" }
      | { readonly code: "too-many-readers"; readonly most: number }
      /** Only users see. */
      | { readonly code: "nobody" }
    >(),
    events: {
      posted: (state, activity: Omit<Activity, "n" | "at">, { time }): FeedState => ({
        ...state,
        ...appended<Activity>(state, activity.id, { ...activity, at: time }, keep),
      }),
      saw: (state, { n }: { n: number }, { author = "" }): FeedState => ({ ...state, seen: state.seen.set(author, n) }),
    },
    commands: {
      post: {
        input: ActivitySchema,
        decide: ({ items }, input, { id, user, admin }) => {
          if (input.actor !== undefined && input.actor !== user && !admin) return reject("not-yours");
          const actor = input.actor ?? user;
          const name = id();
          if (items.has(name)) return reject("exists");
          return [{ type: "posted", data: { ...input, id: name, ...(actor === undefined ? {} : { actor }) } }];
        },
      },
      /** This user has seen everything up to an activity. It never goes back. */
      see: {
        input: v.strictObject({ id: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
        right: "read",
        decide: (state, { id }, { user }) => {
          if (user === undefined) return reject("nobody");
          const activity = state.items.get(id);
          if (!activity) return reject("unknown-activity");
          const before = state.seen.get(user);
          if (before !== undefined && before >= activity.n) return [];
          if (before === undefined && state.seen.size >= readers) return reject("too-many-readers", { most: readers });
          return [{ type: "saw", data: { n: activity.n } }];
        },
      },
    },
    touches: ({ data }) => ("id" in data ? [`items/${data.id}`] : []),
  });
}

/** What a user has not seen, in order; what they did themselves is left out. */
export function unseen(state: FeedState, user: string): readonly Activity[] {
  const seen = state.seen.get(user) ?? 0;
  return inOrder(state).filter(({ n, actor }) => n > seen && actor !== user);
}

/** Activities with the repeats put together (same verb, same object, within an hour of each other), the newest first. */
export function grouped(activities: readonly Activity[]): readonly ActivityGroup[] {
  const groups: { newest: Activity; oldest: number; count: number; actors: string[] }[] = [];
  const open = new Map<string, (typeof groups)[number]>();
  for (const activity of activities.toReversed()) {
    const { verb, object, actor, at } = activity;
    const key = JSON.stringify([verb, object.type, object.id]);
    const group = open.get(key);
    if (group && group.oldest - at <= GROUP_MS) {
      group.count++;
      group.oldest = at;
      if (actor !== undefined && !group.actors.includes(actor)) group.actors.push(actor);
      continue;
    }
    const made = { newest: activity, oldest: at, count: 1, actors: actor === undefined ? [] : [actor] };
    groups.push(made);
    open.set(key, made);
  }
  return groups.map(({ newest, count, actors }) => ({ newest, count, actors }));
}
