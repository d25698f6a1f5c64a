import type { Position } from "@tandem/protocol";
import { samePosition } from "@tandem/protocol";
import { differs, isFor, sees } from "./eyes.ts";
import type { Given, History, Publish, Reader } from "./history.ts";
import type { Fact, Ledger } from "./ledger.ts";
import { isReplaced } from "./overflow.ts";

/**
 * Holds a finished schedule's history against the ledger. What it finds is added to the history's violations.
 *
 * The rules that need no more than what was said at one moment are checked by `Wire` as it is said; here stand those
 * that need the whole.
 */
export function check(history: History, ledger: Ledger, at: number): void {
  for (const publish of history.publishes) checkPublish(publish, history, ledger, at);
  checkOrder(history, ledger, at);
  for (const reader of history.readers) checkReader(reader, history, ledger);
  checkReads(history, ledger);
}

/** G1, G2, G14: what was acknowledged is there, once, as it was asked; what was refused is not. */
function checkPublish(publish: Publish, history: History, ledger: Ledger, at: number): void {
  const { n, by, channel, verdict, due } = publish;
  const wrong = (rule: string, text: string) =>
    history.violate(rule, publish.settledAt ?? at, `publish ${n} of ${by}: ${text}`);
  const facts = ledger.ofPublish(n);
  const kept = facts.filter((fact) => !fact.lost);
  if (kept.length > 1)
    wrong("G2", `stored ${kept.length} times, at ${kept.map((fact) => `${fact.channel}@${fact.offset}`).join(", ")}`);
  for (const fact of facts) {
    if (fact.channel !== channel) wrong("G10", `asked for ${channel}, stored in ${fact.channel}`);
    else if (fact.data !== publish.data) wrong("G2", "another body was stored than was asked for");
  }
  checkStatuses(publish, wrong);
  if (!verdict)
    return wrong(
      "G14",
      `never settled (asked at ${Math.round(publish.invokedAt)}), last status ${publish.statuses.at(-1)}`,
    );
  switch (verdict.kind) {
    case "ok": {
      if (due) wrong("G14", `acknowledged, and should have been refused with ${due}`);
      const fact = facts.findLast((stored) => samePosition(stored, verdict.position));
      if (!fact) return wrong("G1", `acknowledged at ${JSON.stringify(verdict.position)}, and not stored there`);
      if (fact.firstCommittedAt > (publish.settledAt ?? at)) wrong("G1", "acknowledged before it was committed");
      if (!fact.lost && !isKept(fact, ledger)) wrong("G1", `acknowledged, and gone from ${channel}`);
      return;
    }
    case "fail":
      if (kept.length > 0) wrong("G14", `told ${verdict.code}, and stored at ${kept[0]?.offset} of ${channel}`);
      if (due && verdict.code !== due) wrong("G14", `told ${verdict.code}, and the reason is ${due}`);
      return;
    case "unknown":
      return;
  }
}

/** Is it in the channel's present life, or did the channel's life end since? */
function isKept(fact: Fact, ledger: Ledger): boolean {
  if (ledger.line(fact.channel)?.facts[fact.offset - 1] === fact) return true;
  return ledger.removals.some(({ at, channel }) => channel === fact.channel && at >= fact.committedAt);
}

const ENDS: Record<string, string> = { ok: "durable", fail: "rejected", unknown: "unknown" };

/** G14: queued → sent (→ queued, when the connection was lost) → one end, and nothing after it. */
function checkStatuses({ statuses, verdict }: Publish, wrong: (rule: string, text: string) => void): void {
  const path = statuses.join(" → ");
  const end = statuses.findIndex((status) => status === "durable" || status === "rejected" || status === "unknown");
  if (end >= 0 && end < statuses.length - 1) wrong("G14", `has a status after its end: ${path}`);
  if (!verdict || (verdict.kind === "unknown" && verdict.code === "crash") || statuses.length === 0) return;
  if (statuses.at(-1) !== ENDS[verdict.kind]) wrong("G14", `settled as ${verdict.kind} with the statuses ${path}`);
  if (verdict.kind === "ok" && !statuses.includes("sent")) wrong("G14", `durable and never sent: ${path}`);
}

/** G5: what one instance published on a channel stands there in the order in which it was published. */
function checkOrder(history: History, ledger: Ledger, at: number): void {
  const publisher = new Map(history.publishes.map((publish) => [publish.n, publish.by]));
  for (const channel of ledger.channels()) {
    const last = new Map<string, number>();
    for (const fact of ledger.line(channel)?.facts ?? []) {
      const by = publisher.get(fact.publish);
      if (by === undefined) continue;
      const before = last.get(by) ?? 0;
      if (fact.publish < before)
        history.violate("G5", at, `${channel}: ${by} published ${fact.publish} before ${before}, stored after it`);
      last.set(by, Math.max(before, fact.publish));
    }
  }
}

/**
 * G3: one order, each event once, nothing missing but after a reset that was told; of a channel where only the latest counts,
 * nothing but what a newer one of its key has replaced (D12).
 */
function checkReader(reader: Reader, history: History, ledger: Ledger): void {
  const wrong = (given: Given, rule: string, text: string) =>
    history.violate(rule, given.at, `${reader.by} reading ${reader.channel}: ${text}`);
  let position: Position | undefined;
  for (const given of reader.given) {
    switch (given.kind) {
      case "start": {
        const skipped = position && !given.reset ? missing(reader, ledger, position, given.position) : undefined;
        if (skipped) wrong(given, "G3", `goes on at ${place(given.position)} and told no reset: ${skipped}`);
        position = given.position;
        break;
      }
      case "event": {
        if (!position) {
          wrong(given, "G3", `was given event ${given.offset} before it began`);
          return;
        }
        const result = follow(reader, ledger, position, given);
        if (typeof result === "string") {
          wrong(given, "G3", result);
          return;
        }
        position = { epoch: result.epoch, offset: result.offset, tag: result.tag };
        break;
      }
      case "stand": {
        const skipped = position ? missing(reader, ledger, position, given.position) : undefined;
        if (skipped) wrong(given, "G3", skipped);
        position = given.position;
        break;
      }
    }
  }
}

function place({ epoch, offset }: Position): string {
  return `${offset} of ${epoch}`;
}

/** The event that a reader was given, when it is the next one for its eyes after `position`; else what is wrong. */
function follow(reader: Reader, ledger: Ledger, position: Position, given: Given & { kind: "event" }): Fact | string {
  // After a restored backup the same event may be committed again, in another life of its channel: the newest then is the one.
  const candidates = ledger.ofId(reader.channel, given.id).filter(({ committedAt }) => committedAt <= given.at);
  if (candidates.length === 0) return `event ${given.offset} (${given.id}) was never stored`;
  let problem = "";
  for (const fact of candidates.reverse()) {
    const wrong = differs(given, fact, given.at);
    if (wrong) {
      problem ||= wrong;
      continue;
    }
    if (!sees(reader.user, fact)) return `event ${fact.offset} is not for ${reader.user}`;
    if (!isFor(reader, fact)) return `event ${fact.offset} is none that ${reader.user}'s filter asks for`;
    const before = fact.previous ?? { epoch: fact.epoch, offset: 0, tag: "" };
    const skipped = missing(reader, ledger, position, before);
    if (skipped === undefined) return fact;
    problem = `event ${fact.offset} of ${fact.epoch} after ${place(position)}: ${skipped}`;
  }
  return problem;
}

/** What a reader would have seen between two positions; `undefined` when there is nothing, and the one goes on from the other. */
function missing(reader: Reader, ledger: Ledger, from: Position, to: Position): string | undefined {
  if (to.offset === from.offset && to.tag === from.tag) return undefined;
  if (to.offset <= from.offset) return `goes back from ${place(from)} to ${place(to)}`;
  const facts = ledger.between(reader.channel, from, to, to.epoch);
  if (!facts) return `${place(to)} does not follow from ${place(from)}`;
  // Readers of one client that ask for different parts share the whole: what replaces an event may be none that this one asks for.
  const whole = { user: reader.user };
  const unseen = facts.find((fact) => isFor(reader, fact) && !fact.erased && !isReplaced(whole, fact, ledger));
  return unseen && `event ${unseen.offset} was left out`;
}

/** G4: after an acknowledged write, reads of the same instance show it. */
function checkReads(history: History, ledger: Ledger): void {
  const acknowledged = new Map<string, { at: number; position: Position }[]>();
  for (const { by, channel, verdict, settledAt } of history.publishes) {
    if (verdict?.kind !== "ok" || settledAt === undefined) continue;
    const key = `${by} ${channel}`;
    const list = acknowledged.get(key);
    if (list) list.push({ at: settledAt, position: verdict.position });
    else acknowledged.set(key, [{ at: settledAt, position: verdict.position }]);
  }
  for (const read of history.reads) {
    if (ledger.restorations.some(({ at }) => at >= read.invokedAt && at <= read.answeredAt)) continue;
    for (const { at, position } of acknowledged.get(`${read.by} ${read.channel}`) ?? []) {
      if (at > read.invokedAt || position.epoch !== read.epoch || position.offset < read.from) continue;
      if (read.shown.includes(position.offset)) continue;
      if (ledger.at(read.channel, position)?.lost) continue;
      const text = `history of ${read.channel} by ${read.by} does not show its own write ${position.offset}, acknowledged before`;
      history.violate("G4", read.answeredAt, text);
      break;
    }
  }
}
