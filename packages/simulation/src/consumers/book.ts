import type { ChannelEvent, Position, ResetReason } from "@tandem/protocol";
import { differs } from "../eyes.ts";
import type { Fact } from "../ledger.ts";
import type { World } from "../world.ts";

/** Every node has learned by now, in milliseconds, of what happened to the store. */
const UPHEAVAL_MS = 15_000;

/** What a consumer of this name is asked for, all its life. */
export interface Post {
  readonly name: string;
  /** `tenant/type:id`. */
  readonly key: string;
  readonly from: "oldest" | "now";
  /** Attempts at one event before it is given up; infinity where there is no end. */
  readonly attempts: number;
}

/** Where a shift stands. */
type Place =
  /** It has not been told yet where it goes on: with the stored position, if there is one. */
  | { readonly kind: "new" }
  /** After this position. */
  | { readonly kind: "after"; readonly position: Position }
  /** Its history did not go on, or it has none: with the oldest event that is kept, or (for one that begins so) with the next. */
  | { readonly kind: "anywhere" };

/**
 * Keeps the books of one durable consumer over all its shifts, on whichever node, and holds it to what it promises: every event, in
 * order, at least once, none skipped but after a reset that was told, and from where it was.
 */
export class Book {
  readonly post: Post;
  readonly #world: World;
  /** Events that were handled, taken by `onFailed`, or passed over because nothing of them was kept, as was told. */
  readonly #done = new Set<Fact>();
  /** When it was first told to have begun; from then on it has a position. */
  #begunAt = Number.POSITIVE_INFINITY;
  #place: Place = { kind: "new" };
  /** It was told a reset, or has no position any more, and was given nothing since then: it goes on with what is kept. */
  #beginsAnew = false;
  #attempt: { readonly id: string; readonly count: number } | undefined;

  constructor(post: Post, world: World) {
    this.post = post;
    this.#world = world;
  }

  /** A node starts it. */
  newShift(): void {
    this.#place = { kind: "new" };
    this.#attempt = undefined;
  }

  /** Its stored position was read for it. */
  loaded(position: Position | undefined): void {
    const { ledger, clock } = this.#world;
    if (!position) {
      const isTakenBack = ledger.restorations.some(({ backupAt }) => backupAt <= this.#begunAt);
      if (this.#begunAt < clock.now && !isTakenBack) this.#wrong(`has no stored position, and began long ago`);
      // The backup was of before it began: it begins anew.
      this.#begunAt = Number.POSITIVE_INFINITY;
      this.#place = { kind: "anywhere" };
      this.#beginsAnew = true;
      return;
    }
    this.#place = { kind: "after", position };
    const fact = ledger.at(this.post.key, position);
    if (position.offset > 0 && !(fact && this.#isPast(fact)))
      this.#wrong(`goes on after event ${position.offset}, which it has not handled`);
  }

  /** It stands, with a position. */
  begun(): void {
    this.#begunAt = Math.min(this.#begunAt, this.#world.clock.now);
  }

  /** Its position is told: all up to there was handled. */
  stands(position: Position | undefined): void {
    if (!position || position.offset === 0) return;
    const fact = this.#world.ledger.at(this.post.key, position);
    if (!(fact && this.#isPast(fact)))
      this.#wrong(`tells that it stands after event ${position.offset}, which it has not handled`);
  }

  /** Was the event handled, or need it not be? */
  #isPast(fact: Fact): boolean {
    if (this.#done.has(fact)) return true;
    const { ledger, clock } = this.#world;
    if (this.post.from === "now" && fact.committedAt <= Math.min(this.#begunAt, clock.now)) return true;
    // Those of which nothing is kept, where that was told, or where it began with what was kept.
    const { first = 1, epoch } = ledger.line(fact.channel) ?? {};
    return (this.#beginsAnew || this.#done.size === 0) && (fact.epoch !== epoch || fact.offset < first);
  }

  /** An event is given to its handler. @returns the event as the store has it */
  given(event: ChannelEvent, attempt: number): Fact | undefined {
    const count = this.#attempt?.id === event.id ? this.#attempt.count + 1 : 1;
    this.#attempt = { id: event.id, count };
    if (attempt !== count) this.#wrong(`tells attempt ${attempt} at event ${event.offset}, which is the ${count}.`);
    if (attempt > this.post.attempts) this.#wrong(`tries event ${event.offset} more than ${this.post.attempts} times`);
    const { ledger, clock } = this.#world;
    const candidates = ledger.ofId(this.post.key, event.id).filter(({ offset }) => offset === event.offset);
    const fact = candidates.findLast((candidate) => this.#follows(candidate)) ?? candidates.at(-1);
    if (!fact) {
      this.#wrong(`is given event ${event.offset} (${event.id}), which was never stored`);
      return undefined;
    }
    const wrong = differs(event, fact, clock.now);
    if (wrong) this.#wrong(wrong);
    if (!this.#follows(fact)) this.#wrong(`is given event ${fact.offset} of ${fact.epoch} after ${this.#told()}`);
    return fact;
  }

  #follows({ previous, channel, epoch, offset }: Fact): boolean {
    const place = this.#place;
    switch (place.kind) {
      case "new":
        return false;
      case "after":
        if (place.position.offset === 0) return offset === 1;
        return previous?.tag === place.position.tag && epoch === place.position.epoch;
      case "anywhere": {
        const line = this.#world.ledger.line(channel);
        // The oldest that was kept when it was looked for: what is kept has become less since, if anything.
        return !previous || this.#isPast(previous) || line?.epoch !== epoch || offset <= line.first;
      }
    }
  }

  #told(): string {
    return this.#place.kind === "after" ? `${this.#place.position.offset} of ${this.#place.position.epoch}` : "a start";
  }

  handled(fact: Fact): void {
    // What it was told to pass over stays passed over: it stands just before this event until the position after it is stored.
    const passed: Fact[] = [];
    let before = fact.previous;
    while (before && !this.#done.has(before) && this.#isPast(before)) {
      passed.push(before);
      before = before.previous;
    }
    for (const each of passed) this.#done.add(each);
    this.#done.add(fact);
    this.#beginsAnew = false;
    const { epoch, offset, tag } = fact;
    this.#place = { kind: "after", position: { epoch, offset, tag } };
    this.#attempt = undefined;
  }

  /** An event is given up. */
  gaveUp(event: ChannelEvent): void {
    const { attempts } = this.post;
    if (this.#attempt?.id !== event.id || this.#attempt.count !== attempts)
      this.#wrong(`gives up event ${event.offset} after ${this.#attempt?.count} attempts of ${attempts}`);
  }

  /** Its history does not go on. It has to be true. */
  reset(reason: ResetReason): void {
    const { tally } = this.#world;
    tally.count("path", `consumer-reset.${reason}`);
    if (this.#place.kind === "after" && this.#stands(this.#place.position))
      this.#wrong(`was told a reset (${reason}) though ${this.#told()} stands and what follows it is kept`);
    this.#place = { kind: "anywhere" };
    this.#beginsAnew = true;
    this.#attempt = undefined;
  }

  #stands(position: Position): boolean {
    const { ledger, clock } = this.#world;
    const { key } = this.post;
    const upheavals = [...ledger.restorations, ...ledger.removals.filter(({ channel }) => channel === key)];
    if (upheavals.some(({ at }) => clock.now - at < UPHEAVAL_MS)) return false;
    const line = ledger.line(key);
    const { epoch, offset } = position;
    const isIn = offset === 0 ? epoch === "-" || line?.epoch === epoch : ledger.at(key, position) !== undefined;
    if (!isIn || (offset > 0 && line?.facts[offset - 1] !== ledger.at(key, position))) return false;
    return offset + 1 >= (line?.first ?? 1);
  }

  /** The first event that is kept and was not handled; `undefined`: there is none. */
  due(): Fact | undefined {
    const line = this.#world.ledger.line(this.post.key);
    return line?.facts.find((fact) => fact.offset >= line.first && !this.#isPast(fact));
  }

  #wrong(text: string): void {
    const { name, key } = this.post;
    this.#world.history.violate("consumer", this.#world.clock.now, `${name} of ${key} ${text}`);
  }
}
