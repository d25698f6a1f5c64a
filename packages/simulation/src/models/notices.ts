import type { FeedState, InboxState, TallyState } from "@tandem/model";
import { inOrder } from "@tandem/model";
import type { Random } from "../random.ts";
import type { Draft } from "./drafts.ts";

/** Kinds of notifications: users say of each what they want. */
const KINDS = ["task", "talk"];

const DEVICES = ["phone", "laptop"];

/** A command to a feed: somebody says what was done, or has seen it, also what they had passed already. */
export function feedDraft(random: Random, n: number, users: readonly string[], state: FeedState | undefined): Draft {
  const activities = state ? inOrder(state) : [];
  const activity = activities.length > 0 ? random.pick(activities) : undefined;
  if (activity && random.chance(0.6)) return { command: "see", input: { id: activity.id } };
  const object = { type: "page", id: `page-${random.whole(1, 2)}` };
  const actor = random.chance(0.2) ? { actor: random.pick(users) } : {};
  return { command: "post", input: { verb: random.pick(["edited", "read"]), object, data: { n }, ...actor } };
}

/** A command to an inbox: by the application that notifies, and by one of its user's devices. */
export function inboxDraft(random: Random, n: number, isUser: boolean, state: InboxState | undefined): Draft {
  const notifications = state ? inOrder(state) : [];
  const newest = notifications.at(-1);
  const one = newest && random.chance(0.5) ? random.pick(notifications) : newest;
  if (!one || random.chance(isUser ? 0.05 : 0.7)) return notice(random, n);
  const ids = [one.id, ...(random.chance(0.5) ? [random.pick(notifications).id] : [])];
  const what = random.weighted({ acknowledge: 6, mark: 5, unmark: 3, prefer: 4 });
  switch (what) {
    case "acknowledge":
      return { command: what, input: { id: one.id, device: random.pick(DEVICES) } };
    case "mark":
      return { command: what, input: { ids, to: random.pick(["seen", "seen", "read", "archived"]) } };
    case "unmark":
      return { command: what, input: { ids, to: random.pick(["new", "seen", "read"]) } };
    case "prefer":
      return {
        command: what,
        input: { kinds: { [random.pick(KINDS)]: random.pick(["push", "quiet", "off", "off"]) } },
      };
  }
}

function notice(random: Random, n: number): Draft {
  const priority = random.pick(["normal", "normal", "critical"]);
  return { command: "notify", input: { kind: random.pick(KINDS), title: `notice ${n}`, priority } };
}

/** A command to a tally: mostly of one's own choice, and of more options than there may be. */
export function tallyDraft(random: Random, user: string | undefined, state: TallyState | undefined): Draft {
  const chosen = user === undefined ? undefined : state?.choices.get(user);
  const option = random.pick(["a", "b", "c", "d"]);
  return chosen !== undefined && random.chance(0.3)
    ? { command: "remove", input: { option: random.chance(0.8) ? chosen : option } }
    : { command: "add", input: { option } };
}
