import type { ChannelEvent, ResetReason } from "@tandem/protocol";
import type { Fact } from "../ledger.ts";
import type { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Book } from "./book.ts";

/** How an application's handlers behave. */
export interface Manner {
  /** Share of attempts that fail. */
  failing: number;
  /** Mean milliseconds that a slow one takes. */
  readonly slow: number;
}

/** Where attempts are counted, events whose number divides by this are never handled. */
const POISONED = 6;

/** One run of a durable consumer on one node: its handlers, which take their time and fail now and then. */
export class Shift {
  readonly process: Process;
  readonly #world: World;
  readonly #book: Book;
  readonly #manner: Manner;
  readonly #random: Random;
  #busy = false;
  #over = false;

  constructor(world: World, process: Process, book: Book, manner: Manner, random: Random) {
    this.#world = world;
    this.process = process;
    this.#book = book;
    this.#manner = manner;
    this.#random = random;
  }

  /** It was stopped: nothing is to be handled any more. */
  end(): void {
    this.#over = true;
  }

  async handle(event: ChannelEvent, attempt: number): Promise<void> {
    const fact = this.#book.given(event, attempt);
    if (attempt > 1) this.#world.tally.count("path", "consumer-attempt");
    await this.#work(() => {
      if (fact && this.#isPoisoned(fact)) throw new Error("never");
      if (fact) this.#book.handled(fact);
    });
    this.#world.tally.count("path", "consumed");
  }

  async giveUp(event: ChannelEvent): Promise<void> {
    this.#book.gaveUp(event);
    await this.#work(() => {
      const facts = this.#world.ledger.ofId(this.#book.post.key, event.id);
      const fact = facts.findLast(({ offset }) => offset === event.offset);
      if (fact) this.#book.handled(fact);
    });
    this.#world.tally.count("path", "consumer-gave-up");
  }

  async reset(reason: ResetReason): Promise<void> {
    this.#book.reset(reason);
    await this.#work(() => {});
  }

  #isPoisoned({ publish }: Fact): boolean {
    return this.#book.post.attempts !== Number.POSITIVE_INFINITY && publish % POISONED === 0;
  }

  /** Takes its time, and fails as chance has it; else `done` is done, in the end. One call at a time. */
  async #work(done: () => void): Promise<void> {
    const { clock, history } = this.#world;
    const { name } = this.#book.post;
    if (this.#busy) history.violate("consumer", clock.now, `${name} is given something while it handles another`);
    if (this.#over) history.violate("consumer", clock.now, `${name} is given something after it was stopped`);
    this.#busy = true;
    try {
      const random = this.#random;
      if (random.chance(0.4)) {
        const ms = random.around(random.chance(0.8) ? 10 : this.#manner.slow);
        await new Promise<void>((resolve) => clock.after(ms, this.process, resolve));
      }
      if (random.chance(this.#manner.failing)) throw new Error("not now");
      done();
    } finally {
      this.#busy = false;
    }
  }
}
