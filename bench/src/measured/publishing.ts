import type { PublishOrder } from "./orders.ts";
import { payloadOf } from "./payload.ts";

/** Hands one publish to the system: `payload` is an object of 128 bytes of JSON. A promise is one of being accepted. */
export type Publish = (channel: string, payload: object) => unknown;

/** Most publishes that a pace makes up for in one turn, when a timer came late. */
const CATCH_UP = 20;

/** Publishes by itself inside the server's process, numbered from 1 on each channel, at a pace. The same for every system. */
export class Publishing {
  readonly #publish: Publish;
  readonly #failed: (error: unknown) => void;
  readonly #published = new Map<string, number>();
  readonly #accepting = new Set<Promise<unknown>>();
  #order: PublishOrder | undefined;
  #total = 0;
  #received = 0;
  #blocked = false;
  #since = 0;

  constructor(publish: Publish, failed: (error: unknown) => void) {
    this.#publish = publish;
    this.#failed = failed;
  }

  begin(order: PublishOrder): void {
    this.#order = order;
    this.#blocked = false;
    this.#since = performance.now();
    this.#turn(order);
  }

  async stop(): Promise<Record<string, number>> {
    this.#order = undefined;
    while (this.#accepting.size > 0) await Promise.all(this.#accepting);
    return Object.fromEntries(this.#published);
  }

  /** Every receiver has got so many in all. */
  received(count: number): void {
    this.#received = count;
    const order = this.#order;
    if (!order || !this.#blocked) return;
    this.#blocked = false;
    this.#turn(order);
  }

  /** One turn of the event loop. Whoever waits for receivers sleeps until there is word of them. */
  #turn(order: PublishOrder): void {
    if (this.#order !== order || this.#blocked) return;
    const { pace, backlog = Number.POSITIVE_INFINITY } = order;
    const count = pace.kind === "burst" ? pace.perTurn : this.#due(pace.perSecond);
    if (this.#total - this.#received + count > backlog) {
      this.#blocked = true;
      this.#since = performance.now();
      return;
    }
    for (let at = 0; at < count; at++) this.#next(order);
    if (pace.kind === "burst") setImmediate(() => this.#turn(order));
    else setTimeout(() => this.#turn(order), 1);
  }

  #due(perSecond: number): number {
    const now = performance.now();
    const due = Math.floor(((now - this.#since) * perSecond) / 1_000);
    this.#since = due > CATCH_UP ? now : this.#since + (due * 1_000) / perSecond;
    return Math.min(due, CATCH_UP);
  }

  #next({ channels }: PublishOrder): void {
    const channel = channels[this.#total++ % channels.length] ?? "";
    const seq = (this.#published.get(channel) ?? 0) + 1;
    this.#published.set(channel, seq);
    const accepted = this.#publish(channel, payloadOf(seq));
    if (!(accepted instanceof Promise)) return;
    const settled = accepted.catch(this.#failed).finally(() => this.#accepting.delete(settled));
    this.#accepting.add(settled);
  }
}
