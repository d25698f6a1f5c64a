import { TandemError } from "@tandem/protocol";
import type { Node } from "@tandem/server/core";
import { nameIn } from "../eyes.ts";
import type { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Post } from "./book.ts";
import { Book } from "./book.ts";
import type { Manner } from "./shift.ts";
import { Shift } from "./shift.ts";

/** Mean milliseconds between two hand-overs. */
const HAND_OVER_MS = 2_500;

/** Mean milliseconds until a consumer that has ended, or could not start, is started somewhere. */
const AGAIN_MS = 600;

type Running = Awaited<ReturnType<ReturnType<Node["application"]>["consume"]>>;

/** A consumer, wherever it runs: on one node at a time. */
interface Staffed {
  readonly book: Book;
  shift: Shift | undefined;
  consumer: Running | undefined;
}

/** Sees to it that each durable consumer of a schedule runs on some node, and hands it over from time to time. */
export class Foreman {
  readonly #world: World;
  readonly #random: Random;
  readonly #manner: Manner;
  readonly #consumers: readonly Staffed[];
  #over = false;

  /** @param random a source of its own: schedules without consumers stay as they are */
  constructor(world: World, channels: readonly string[], random: Random) {
    this.#world = world;
    this.#random = random;
    this.#manner = { failing: random.pick([0, 0.05, 0.2]), slow: random.pick([50, 400, 2_000]) };
    const names = random.chance(0.5) ? ["mailer"] : ["mailer", "indexer"];
    this.#consumers = names.map((name) => {
      const post: Post = {
        name,
        key: `${random.chance(0.8) ? "acme" : "beta"}/${random.pick(channels)}`,
        from: random.chance(0.6) ? "oldest" : "now",
        attempts: random.chance(0.4) ? 3 : Number.POSITIVE_INFINITY,
      };
      return { book: new Book(post, world), shift: undefined, consumer: undefined };
    });
    world.storage.onConsumerLoaded = (name, key, position) => {
      const one = this.#consumers.find(({ book: { post } }) => post.name === name && post.key === key);
      one?.book.loaded(position);
    };
  }

  start(): void {
    for (const one of this.#consumers) this.#staff(one);
    this.#handOver();
  }

  /** No more hand-overs, and handlers that do what they should. */
  calm(): void {
    this.#over = true;
    this.#manner.failing = 0;
  }

  /** What is still to be handled; `undefined`: nothing. */
  due(): { readonly since: number; readonly text: string } | undefined {
    for (const { book, consumer } of this.#consumers) {
      const { name, key } = book.post;
      const fact = book.due();
      if (fact) return { since: fact.committedAt, text: `${name} has not handled event ${fact.offset} of ${key}` };
      if (!consumer) return { since: 0, text: `${name} of ${key} does not run` };
    }
    return undefined;
  }

  #later(one: Staffed): void {
    this.#world.clock.after(this.#random.around(AGAIN_MS), undefined, () => this.#staff(one));
  }

  #staff(one: Staffed): void {
    if (one.shift) return;
    const up = this.#world.hosts.flatMap(({ node, process }) => (node && process ? [{ node, process }] : []));
    if (up.length === 0) return this.#later(one);
    const { node, process } = this.#random.pick(up);
    this.#begin(one, node, process);
  }

  #begin(one: Staffed, node: Node, process: Process): void {
    const { book } = one;
    const { post } = book;
    const shift = new Shift(this.#world, process, book, this.#manner, this.#random);
    const end = () => {
      if (one.shift !== shift) return;
      one.shift = undefined;
      one.consumer = undefined;
      this.#later(one);
    };
    one.shift = shift;
    book.newShift();
    process.whenGone(end);
    const [tenant = ""] = post.key.split("/");
    node
      .application(tenant)
      .consume(post.name, nameIn(post.key), (event, attempt) => shift.handle(event, attempt), {
        from: post.from,
        ...(post.attempts === Number.POSITIVE_INFINITY ? {} : { attempts: post.attempts }),
        onFailed: (event) => shift.giveUp(event),
        onReset: (reason) => shift.reset(reason),
      })
      .then(
        (consumer) => {
          book.begun();
          book.stands(consumer.position);
          one.consumer = consumer;
          this.#world.tally.count("path", "consumer-begun");
        },
        (error: unknown) => {
          if (!(error instanceof TandemError)) throw error;
          this.#world.tally.count("path", "consumer-not-begun");
          end();
        },
      );
  }

  /** Has one stopped where it runs, and started elsewhere once that is done. */
  #handOver(): void {
    const { clock, tally } = this.#world;
    clock.after(this.#random.around(HAND_OVER_MS), undefined, () => {
      if (this.#over) return;
      const one = this.#random.pick(this.#consumers);
      const { shift, consumer, book } = one;
      if (shift && consumer) {
        tally.count("operation", "consumer.hand-over");
        void consumer.stop().then(() => {
          shift.end();
          book.stands(consumer.position);
          if (one.shift !== shift) return;
          one.shift = undefined;
          one.consumer = undefined;
          this.#staff(one);
        });
      }
      this.#handOver();
    });
  }
}
