import * as v from "valibot";
import { checkBounds } from "../bounds.ts";
import { reasons, reject } from "../decision.ts";
import { defineModel } from "../model.ts";
import type { Sequence } from "../sequence.ts";
import { appended, changed, emptySequence } from "../sequence.ts";
import type { Preferences } from "./preferences.ts";
import { changedBy, DEFAULT_PREFERENCES, KINDS, PreferencesChangeSchema, takenAs, takenBack } from "./preferences.ts";

export interface InboxOptions {
  /** Notifications that the state keeps, the newest, 1,000 at most: what falls out is not pushed any more. Default 300. */
  readonly keep?: number;
  /** Seconds after which a notification that no device has acknowledged is to be pushed another way. Default 30. */
  readonly pushAfter?: number;
}

/** Most notifications that one command marks, and that one deadline finds unanswered. */
const AT_ONCE = 1_000;

/** Most devices that acknowledge one notification. */
const DEVICES = 20;

const Kind = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const Id = v.pipe(v.string(), v.minLength(1), v.maxLength(64));
const Ids = v.pipe(v.array(Id), v.minLength(1), v.maxLength(AT_ONCE));

const NotificationSchema = v.strictObject({
  kind: Kind,
  title: v.pipe(v.string(), v.minLength(1), v.maxLength(300)),
  body: v.optional(v.pipe(v.string(), v.maxLength(4_000))),
  priority: v.optional(v.picklist(["low", "normal", "high", "critical"]), "normal"),
  link: v.optional(v.pipe(v.string(), v.maxLength(2_000))),
  data: v.optional(v.unknown()),
});

export interface Notification extends v.InferOutput<typeof NotificationSchema> {
  readonly id: string;
  readonly n: number;
  readonly at: number;
  readonly state: "new" | "seen" | "read" | "archived";
  /** Devices that have shown it. */
  readonly devices: readonly string[];
  /** When it has to be pushed another way, if no device acknowledges it before; `null`: not (any more). */
  readonly pushAt: number | null;
}

export interface InboxState extends Sequence<Notification> {
  readonly preferences: Preferences;
}

type State = Notification["state"];

const RANK = { new: 0, seen: 1, read: 2, archived: 3 } as const;

/**
 * One user's notifications: seen, read, archived, shown by which devices, taken as the user prefers, and pushed another way where no device acknowledges
 * them in time. Put it into a channel of the user's own: `inbox:{user}`, or `user:{id}`. Only admins and the application notify.
 *
 * An event `unanswered` says that a notification is to be pushed (e-mail, a phone's push service): let a durable consumer of the channel do it.
 *
 * @example
 * channel({ events: {}, models: { inbox: inbox({ pushAfter: 60 }) } })
 * @throws RangeError on a bound that cannot be
 */
export function inbox({ keep = 300, pushAfter = 30 }: InboxOptions = {}) {
  checkBounds({ keep }, AT_ONCE);
  checkBounds({ pushAfter });
  const mark = (state: InboxState, ids: readonly string[], to: State): InboxState =>
    ids.reduce((next, id) => changed(next, id, (one) => ({ ...one, state: to, pushAt: null })), state);
  /** Those that are there, each once, whose state is one of these. */
  const those = ({ items }: InboxState, ids: readonly string[], is: (state: State) => boolean): string[] =>
    [...new Set(ids)].filter((id) => is(items.get(id)?.state ?? "archived") && items.has(id));
  return defineModel({
    name: "inbox",
    initial: (): InboxState => ({ ...emptySequence<Notification>(), preferences: DEFAULT_PREFERENCES }),
    reasons: reasons<
      /** There is one of this id already: its maker used a command's nonce again. */
      | { readonly code: "exists" }
      | { readonly code: "not-wanted" }
      | { readonly code: "unknown-notification" }
      | { readonly code: "too-many-devices"; readonly most: number }
      | { readonly code: "too-many-kinds"; readonly most: number }
    >(),
    events: {
      notified: (
        state,
        { push, ...data }: Omit<Notification, "n" | "at" | "state" | "devices" | "pushAt"> & { push: boolean },
        { time },
      ): InboxState => {
        const made = {
          ...data,
          at: time,
          state: "new" as const,
          devices: [],
          pushAt: push ? time + pushAfter * 1_000 : null,
        };
        return { ...state, ...appended<Notification>(state, data.id, made, keep) };
      },
      shown: (state, { id, device }: { id: string; device: string }) =>
        changed(state, id, (one) => ({ ...one, devices: [...one.devices, device], pushAt: null })),
      marked: (state, { ids, to }: { ids: readonly string[]; to: State }) => mark(state, ids, to),
      unanswered: (state, { id }: { id: string }) => changed(state, id, (one) => ({ ...one, pushAt: null })),
      preferred: (state, { preferences }: { preferences: Preferences }): InboxState => ({ ...state, preferences }),
    },
    commands: {
      notify: {
        input: NotificationSchema,
        right: "admin",
        decide: (state, input, { id, time }) => {
          const taken = takenAs(state.preferences, input, time);
          if (taken === "off") return reject("not-wanted");
          const name = id();
          if (state.items.has(name)) return reject("exists");
          return [{ type: "notified", data: { ...input, id: name, push: taken === "push" } }];
        },
      },
      /** A device has shown it. */
      acknowledge: {
        input: v.strictObject({ id: Id, device: v.pipe(v.string(), v.minLength(1), v.maxLength(64)) }),
        right: "read",
        decide: (state, { id, device }) => {
          const one = state.items.get(id);
          if (!one) return reject("unknown-notification");
          if (one.devices.includes(device)) return [];
          if (one.devices.length >= DEVICES) return reject("too-many-devices", { most: DEVICES });
          return [{ type: "shown", data: { id, device } }];
        },
      },
      /** Marks some; those that are further on already stay as they are. */
      mark: {
        input: v.strictObject({
          ids: Ids,
          to: v.picklist(["seen", "read", "archived"]),
        }),
        right: "read",
        decide: (state, { ids, to }) => {
          const behind = those(state, ids, (is) => RANK[is] < RANK[to]);
          return behind.length > 0 ? [{ type: "marked", data: { ids: behind, to } }] : [];
        },
        /** Where all of them were in one state before: what has been moved on since stays. */
        inverse: ({ items }, { to }, [event]) => {
          const ids = event?.type === "marked" ? event.data.ids : [];
          const [was, ...others] = new Set(ids.map((id) => items.get(id)?.state));
          if (was === undefined || was === "archived" || others.length > 0) return undefined;
          return { command: "unmark", input: { ids, from: to, to: was } };
        },
      },
      /** Puts some back: unread again, out of the archive. Those that are not `from` stay as they are. */
      unmark: {
        input: v.strictObject({
          ids: Ids,
          /** Default: whatever is further on than `to`. */
          from: v.optional(v.picklist(["seen", "read", "archived"])),
          to: v.picklist(["new", "seen", "read"]),
        }),
        right: "read",
        decide: (state, { ids, from, to }) => {
          const ahead = those(state, ids, (is) => RANK[is] > RANK[to] && (from === undefined || is === from));
          return ahead.length > 0 ? [{ type: "marked", data: { ids: ahead, to } }] : [];
        },
      },
      /** Changes what is named, and leaves the rest. */
      prefer: {
        input: PreferencesChangeSchema,
        right: "read",
        decide: (state, change) => {
          const preferences = changedBy(state.preferences, change);
          if (Object.keys(preferences.kinds).length > KINDS) return reject("too-many-kinds", { most: KINDS });
          return [{ type: "preferred", data: { preferences } }];
        },
        inverse: ({ preferences }, change) => ({ command: "prefer", input: takenBack(preferences, change) }),
      },
    },
    deadline: (state) => {
      let next: number | undefined;
      for (const { pushAt } of state.items.values())
        if (pushAt !== null && pushAt < (next ?? Number.POSITIVE_INFINITY)) next = pushAt;
      return next;
    },
    onDeadline: (state, { time }) =>
      [...state.items.values()]
        .filter(({ pushAt }) => pushAt !== null && pushAt <= time)
        .sort((a, b) => a.n - b.n)
        .map(({ id }) => ({ type: "unanswered" as const, data: { id } })),
    touches: ({ data }) => {
      if ("preferences" in data) return ["preferences"];
      return ("ids" in data ? data.ids : [data.id]).map((id) => `items/${id}`);
    },
  });
}

/** How many notifications a user has not seen. */
export function unseenOf({ items }: Pick<InboxState, "items">): number {
  let unseen = 0;
  for (const { state } of items.values()) if (state === "new") unseen++;
  return unseen;
}
