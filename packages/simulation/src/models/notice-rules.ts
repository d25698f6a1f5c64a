import type { FeedState, InboxState, TallyState } from "@tandem/model";
import { KEPT, PUSH_AFTER_S } from "./bench.ts";
import type { Broken, ModelFact } from "./broken.ts";
import { broken } from "./broken.ts";

/** M25: what a user has seen of a feed never goes back, and the newest are kept. */
export function feedBroken({ type, author = "" }: ModelFact, before: FeedState, after: FeedState): Broken | undefined {
  for (const [user, n] of before.seen) {
    if ((after.seen.get(user) ?? 0) < n) return broken("M25", `${user} had seen ${n}, and has ${after.seen.get(user)}`);
  }
  if (type === "saw" && after.seen.get(author) === before.seen.get(author))
    return broken("M25", `${author} saw nothing new`);
  if (type === "posted") return sequenceBroken("M25", before, after, KEPT.activities);
  return undefined;
}

const RANK = { new: 0, seen: 1, read: 2, archived: 3 } as const;

/** M26: notifications go on, unless they are put back; and are pushed once, where nobody has answered in time. */
export function inboxBroken(
  { type, data, time, command }: ModelFact,
  before: InboxState,
  after: InboxState,
): Broken | undefined {
  if (type === "notified") {
    const { kind, priority } = data as { kind: string; priority: string };
    if (before.preferences.kinds[kind] === "off" && priority !== "critical")
      return broken("M26", `${kind} is not wanted, and stored`);
    return sequenceBroken("M26", before, after, KEPT.notifications);
  }
  for (const [id, one] of after.items) {
    const was = before.items.get(id);
    if (!was) return broken("M26", `${id} came by ${type}`);
    const moved = Math.sign(RANK[one.state] - RANK[was.state]);
    const allowed = type === "marked" ? (command === "unmark" ? -1 : 1) : 0;
    if (moved !== 0 && moved !== allowed)
      return broken("M26", `${id} was ${was.state}, and is ${one.state} by ${command ?? type}`);
    if (one.pushAt !== null && (was.pushAt === null || one.devices.length > 0 || one.state !== "new"))
      return broken("M26", `${id} is ${one.state}, shown by ${one.devices.length}, and to be pushed`);
    if (new Set(one.devices).size < one.devices.length) return broken("M26", `${id} is shown twice by a device`);
  }
  if (type !== "unanswered") return undefined;
  const found = before.items.get(String(data.id));
  if (!found || found.pushAt === null) return broken("M26", `${data.id} is pushed, and was answered`);
  return time < found.at + PUSH_AFTER_S * 1_000 ? broken("M26", `${data.id} is pushed before its time`) : undefined;
}

/** M27: a user counts once. */
export function tallyBroken({ author, data }: ModelFact, after: TallyState): Broken | undefined {
  const counts = new Map<string, number>();
  for (const option of after.choices.values()) counts.set(option, (counts.get(option) ?? 0) + 1);
  if (data.user !== author) return broken("M27", `${author} counts for ${data.user}`);
  if (counts.size > KEPT.options) return broken("M27", `there are ${counts.size} options`);
  const same = counts.size === after.counts.size && [...counts].every(([name, n]) => after.counts.get(name) === n);
  return same ? undefined : broken("M27", `${JSON.stringify([...after.counts])} of ${JSON.stringify([...counts])}`);
}

interface Kept {
  readonly last: number;
  readonly items: { readonly size: number; values(): Iterable<{ readonly n: number }> };
}

/** One more came, under the next number, and the newest are there. */
function sequenceBroken(rule: string, before: Kept, after: Kept, keep: number): Broken | undefined {
  if (after.last !== before.last + 1) return broken(rule, `${after.last} comes after ${before.last}`);
  const size = Math.min(after.last, keep);
  const isNewest = [...after.items.values()].every(({ n }) => n > after.last - keep);
  return after.items.size === size && isNewest ? undefined : broken(rule, `${after.items.size} are kept of ${size}`);
}
