import type { Lane } from "@tandem/protocol";
import type { Outgoing } from "../delivery/message.ts";
import type { Outbox, Puller } from "../delivery/outbox.ts";
import type { Ticks } from "./latest.ts";

/** Something of a room that changes, and of which only the newest counts. */
export interface Changing {
  /** The share of a connection's window that it may fill. */
  readonly share: number;
  readonly ticks: Readonly<Ticks>;
  /** It has changed lately: who did not have it all is to be told now, and not only with what comes next. */
  readonly isFresh: boolean;
  /** What is newest since a tick (`undefined`: everything) for those of a group, in pieces. Made once for all who ask for the same. */
  since(tick: number | undefined, group: string | undefined): readonly Outgoing[];
  /** Names what those of a group have who were told everything. */
  bookmark(group: string | undefined): string;
  /** The tick up to which one of a group was told who has what a bookmark names; `undefined` where that is not known. */
  tickOf(bookmark: string, group: string | undefined): number | undefined;
}

/**
 * One connection's watching of something that changes. It knows up to which tick its client was told; without credit it waits, and is then told what is
 * newest since, so that a slow client costs a number and not a queue. What is told is what stands at a tick: what is changing is told with the next one.
 */
export class Watcher implements Puller {
  readonly lane: Lane;
  readonly share: number;
  readonly #source: Changing;
  readonly #outbox: Outbox;
  /** Names what its client has, as far as that is known; `undefined` where nobody asks: the connection goes on. */
  #bookmark: string | undefined;
  /** It goes on from what its client has of another connection. */
  #resumes: boolean;
  #upTo: number | undefined;
  #group: string | undefined;
  /** What is still to be sent of what it was told last. */
  #left: readonly Outgoing[] = [];
  /** …and whether its client waits for it. */
  #isNews = true;
  #held = false;
  #ended = false;

  /** @param after the client's bookmark, empty where it has none; left out where it needs none */
  constructor(source: Changing, outbox: Outbox, lane: Lane, after?: string) {
    this.#source = source;
    this.#outbox = outbox;
    this.lane = lane;
    this.share = source.share;
    this.#bookmark = after;
    this.#resumes = !!after;
  }

  /** Begins with everything there is, or with what its client does not have of it, as soon as there is room for it. */
  start(group: string | undefined): void {
    this.#group = group;
    this.#outbox.wait(this);
  }

  /**
   * Is shown another part of the room from now on: everything that is in it.
   *
   * @param wholeFrom who was told at this tick or later was told of the whole room: what has changed since is enough for it
   */
  regroup(group: string | undefined, wholeFrom: number): void {
    if (this.#group === group) return;
    this.#group = group;
    if (this.#upTo !== undefined && this.#upTo < wholeFrom) this.#upTo = undefined;
  }

  /** Tells nothing until it is released: whether its client may have it is being asked for. */
  hold(): void {
    this.#held = true;
  }

  /** Tells what is newest by now. */
  release(): void {
    this.#held = false;
    this.#outbox.wait(this);
  }

  /** There is something new. */
  offer(): void {
    while (this.#hasMore()) {
      if (!this.#outbox.hasCredit(this.lane, this.share)) return this.#outbox.wait(this);
      this.#send();
    }
  }

  pull(): boolean {
    if (this.#hasMore()) this.#send();
    return this.#hasMore();
  }

  /** Names what its client has; empty where it was not told all of it. */
  get bookmark(): string {
    return this.#left.length === 0 ? (this.#bookmark ?? "") : "";
  }

  end(): void {
    this.#ended = true;
    this.#left = [];
  }

  #hasMore(): boolean {
    if (this.#ended || this.#held) return false;
    const { ticks } = this.#source;
    if (this.#left.length === 0 && this.#upTo !== ticks.now && !ticks.isDue) this.#look(ticks.now);
    return this.#left.length > 0;
  }

  #look(now: number): void {
    const source = this.#source;
    const has = this.#bookmark;
    if (has !== undefined) this.#bookmark = source.bookmark(this.#group);
    if (this.#resumes) this.#upTo = source.tickOf(has ?? "", this.#group);
    this.#isNews = !this.#resumes || this.#upTo !== undefined || source.isFresh;
    // What has changed and changed back, or was said once more, its client has.
    this.#left = has !== undefined && this.#bookmark === has ? [] : source.since(this.#upTo, this.#group);
    this.#resumes = false;
    this.#upTo = now;
  }

  #send(): void {
    const [next, ...left] = this.#left;
    this.#left = left;
    if (next) this.#outbox.deliver(this.lane, next, this.#isNews);
  }
}
