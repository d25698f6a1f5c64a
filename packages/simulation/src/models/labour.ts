import type { Work } from "@tandem/client";
import { JobFailure } from "@tandem/client";
import type { FenceToken } from "@tandem/protocol";
import type { Process } from "../process.ts";
import type { Random } from "../random.ts";
import type { World } from "../world.ts";
import type { Order } from "./orders.ts";
import type { Run, Shop } from "./shop.ts";

/** Longest that one goes on who does not hear that it should stop, in milliseconds. */
const DEAF_MS = 6_000;

/** Mean milliseconds of a step of what has no end. */
const ENDLESS_MS = 1_500;

/** Who works, and where. */
export interface Hand {
  readonly channel: string;
  readonly process: Process;
  readonly random: Random;
  /** Writes to the channel under a job's lock. */
  memo?(job: string, fence: FenceToken): void;
}

/** What workers do: as the job's order says, step by step. */
export class Labour {
  readonly #world: World;
  readonly #shop: Shop;
  /** Everything that can go well does. */
  calm = false;

  constructor(world: World, shop: Shop) {
    this.#world = world;
    this.#shop = shop;
  }

  /** The function of one worker. */
  of(hand: Hand): (work: Work) => Promise<unknown> {
    return async (work) => {
      const { channel, process } = hand;
      const { job, signal } = work;
      const run: Run = { channel, job, process, signal, at: this.#world.clock.now, ended: false };
      this.#shop.begin(run);
      try {
        return await this.#work(work, hand, orderOf(work.input));
      } finally {
        run.ended = true;
      }
    };
  }

  async #work(work: Work, { process, random, memo }: Hand, order: Order): Promise<unknown> {
    const { job, signal, fence } = work;
    const pass = (ms: number) => new Promise<void>((resolve) => this.#world.clock.after(ms, process, resolve));
    const isDeaf = order.ends === "deaf";
    const began = this.#world.clock.now;
    for (let step = 1; step <= order.steps || order.ends === "never"; step++) {
      await pass(Math.min(random.around(order.ends === "never" ? ENDLESS_MS : order.ms), DEAF_MS));
      if (!isDeaf) signal.throwIfAborted();
      work.progress(Math.min(1, step / order.steps), { step: `step ${step}`, checkpoint: step });
      if (random.chance(0.5)) work.log(`line ${step}`);
      if (random.chance(0.3)) memo?.(job.id, fence);
      if (isDeaf && this.#world.clock.now - began > DEAF_MS) break;
    }
    if (order.ends === "broken") throw new JobFailure("broken", "never", { recoverable: false });
    if (job.failures < order.fails && !this.calm) throw new Error("not now");
    return { job: job.id, token: job.token };
  }
}

/** Jobs that somebody started who knows nothing of orders have one as well. */
function orderOf(input: unknown): Order {
  return { steps: 1, ms: 50, fails: 0, ends: "well", ...(input as Partial<Order> | undefined) };
}
