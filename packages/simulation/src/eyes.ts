import type { ChannelEvent, Condition, Filter } from "@tandem/protocol";
import { channelType } from "@tandem/protocol";
import type { Note } from "./app.ts";
import { mayRead } from "./app.ts";
import type { Fact } from "./ledger.ts";
import { deskShows, isDesk } from "./models/desk.ts";

/** A payload that was erased may be delivered by a node that has not learned of it, for this long, in milliseconds. */
const REDACTION_MS = 30_000;

/** May this user see the event, as the application's definition says? `undefined`: the application itself, which sees all. */
export function sees(user: string | undefined, fact: Fact): boolean {
  if (user === undefined) return true;
  const name = nameIn(fact.channel);
  if (isDesk(name)) return deskShows(user, fact);
  if (channelType(name) !== "inbox") return true;
  return mayRead(user, fact.author, (JSON.parse(fact.data) as Note).to);
}

/** Who reads a channel, and what they ask for of it. */
export interface Eyes {
  readonly user: string | undefined;
  /** Left out: everything. */
  readonly filter?: Filter | undefined;
}

/** Is the event one that they may see and ask for? Judged by what was stored, not by what the server makes of a filter. */
export function isFor({ user, filter }: Eyes, fact: Fact): boolean {
  return (!filter || isAskedFor(filter, fact)) && sees(user, fact);
}

function isAskedFor({ types, where }: Filter, fact: Fact): boolean {
  if (types && !types.some((type) => type === fact.type)) return false;
  if (!where) return true;
  const data = JSON.parse(fact.data) as Readonly<Record<string, unknown>>;
  return Object.keys(where).every((field) => holds(where[field] as Condition, data[field]));
}

function holds(condition: Condition, value: unknown): boolean {
  if (condition === null || typeof condition !== "object") return value === condition;
  if ("in" in condition) return condition.in.some((one) => one === value);
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY } = condition;
  return typeof value === "number" && value >= min && value <= max;
}

/** The channel's name in its key. */
export function nameIn(key: string): string {
  return key.slice(key.indexOf("/") + 1);
}

/** An event as someone was given it: what of it is compared. */
export type Shown = Pick<ChannelEvent, "offset" | "id" | "data" | "version">;

/** What an event on the wire may tell. */
const FIELDS = new Set(["offset", "id", "type", "version", "time", "author", "data", "redacted", "trace"]);

/** Is what was shown this very event, unchanged? @returns what is wrong with it, or `undefined` */
export function differs(shown: Shown, fact: Fact, at: number): string | undefined {
  if (shown.offset !== fact.offset || shown.id !== fact.id) {
    return `event ${shown.offset} (${shown.id}) stands where the log has ${fact.offset} (${fact.id})`;
  }
  const stray = Object.keys(shown).find((field) => !FIELDS.has(field) && field !== "kind" && field !== "at");
  if (stray) return `event ${shown.offset} tells its ${stray}, which nobody is to know`;
  if (shown.data === null && fact.erased) return undefined;
  if (JSON.stringify(shown.data) !== fact.data) return `event ${shown.offset} has other data than the log`;
  if ((shown.version ?? 1) !== fact.version)
    return `event ${shown.offset} is told to be of version ${shown.version ?? 1}, and should be of ${fact.version}`;
  if (fact.redactedAt !== undefined && at > fact.redactedAt + REDACTION_MS)
    return `event ${shown.offset} was erased long ago`;
  return undefined;
}

/**
 * Are these events all there is for these eyes in a stretch of the log, each as it was stored?
 *
 * @param facts the stretch, oldest first
 * @param mayLack events that need not be there though they are for these eyes
 * @returns what is wrong, with the rule that it breaks, or `undefined`
 */
export function compare(
  eyes: Eyes,
  shown: readonly Shown[],
  facts: readonly Fact[],
  at: number,
  mayLack: (fact: Fact) => boolean = () => false,
): { rule: string; text: string } | undefined {
  let next = 0;
  for (const fact of facts) {
    const event = shown[next];
    const given = event?.offset === fact.offset;
    if (!isFor(eyes, fact)) {
      if (given) return stray(eyes, fact);
      continue;
    }
    if (!given || !event) {
      // An erased payload does not tell any more whom it was for.
      if (fact.erased || mayLack(fact)) continue;
      return { rule: "G3", text: `event ${fact.offset} of ${fact.channel} is missing, the range covers it` };
    }
    next++;
    const wrong = differs(event, fact, at);
    if (wrong) return { rule: "G3", text: `${wrong}, in ${fact.channel}` };
  }
  const extra = shown[next];
  return extra && { rule: "G3", text: `event ${extra.offset} is out of order, given twice or outside of its range` };
}

function stray({ user }: Eyes, fact: Fact): { rule: string; text: string } {
  const event = `${user} was given event ${fact.offset} of ${fact.channel}`;
  if (!sees(user, fact)) return { rule: "G10", text: `${event}, which is not for them` };
  return { rule: "D11", text: `${event}, which their filter does not ask for` };
}
