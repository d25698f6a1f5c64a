import type { Lane } from "@tandem/protocol";
import type { Outgoing } from "../delivery/message.ts";
import type { Outbox, Puller } from "../delivery/outbox.ts";

/** Something of a room that changes, and of which only the newest counts. */
export interface Changing {
  /** The share of a connection's window that it may fill. */
  readonly share: number;
  /** The last tick. */
  readonly tick: number;
  /** What is newest since a tick (`undefined`: everything) for those of a group, in pieces. Made once for all who ask for the same. */
  since(tick: number | undefined, group: string | undefined): readonly Outgoing[];
}

/**
 * One connection's watching of something that changes. It knows up to which tick its client was told; without credit it waits, and is then told what is
 * newest since, so that a slow client costs a number and not a queue.
 */
export class Watcher implements Puller {
  readonly lane: Lane;
  readonly share: number;
  readonly #source: Changing;
  readonly #outbox: Outbox;
  #upTo: number | undefined;
  #group: string | undefined;
  /** What is still to be sent of what it was told last. */
  #left: readonly Outgoing[] = [];
  #ended = false;

  constructor(source: Changing, outbox: Outbox, lane: Lane) {
    this.#source = source;
    this.#outbox = outbox;
    this.lane = lane;
    this.share = source.share;
  }

  /** Begins with everything there is, as soon as there is room for it. */
  start(group: string | undefined): void {
    this.#group = group;
    this.#outbox.wait(this);
  }

  /** Is shown another part of the room from now on: everything that is in it. */
  regroup(group: string | undefined, afresh: boolean): void {
    if (this.#group === group) return;
    this.#group = group;
    if (afresh) this.#upTo = undefined;
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

  end(): void {
    this.#ended = true;
    this.#left = [];
  }

  #hasMore(): boolean {
    if (this.#ended) return false;
    if (this.#left.length === 0 && this.#upTo !== this.#source.tick) {
      this.#left = this.#source.since(this.#upTo, this.#group);
      this.#upTo = this.#source.tick;
    }
    return this.#left.length > 0;
  }

  #send(): void {
    const [next, ...left] = this.#left;
    this.#left = left;
    if (next) this.#outbox.deliver(this.lane, next);
  }
}
