import type { Lane } from "@tandem/protocol";
import type { MeasuredServer } from "../measured/measured-server.ts";
import type { Heard } from "../measured/tally.ts";
import { Tally } from "../measured/tally.ts";
import type { Wire } from "../wire/wire.ts";
import { connectWire } from "../wire/wire.ts";

/** How often, in milliseconds, the server is told how far the last receiver is. */
const TELL_MS = 5;

/** Connections that are opened at the same time. */
const AT_ONCE = 50;

/** How often, in milliseconds, it is looked whether the last deliveries have come. */
const LOOK_MS = 10;

/** Longest wait for the last deliveries, in milliseconds. */
const DRAIN_MS = 30_000;

/** The subscribers of one channel. The first that misses, doubles or swaps a message makes the measurement void. */
export class Audience {
  /** Rejects when a message was lost, or a connection was. */
  readonly failed: Promise<never>;
  readonly #server: MeasuredServer;
  readonly #channel: string;
  readonly #tallies: Tally[] = [];
  readonly #wires: Wire[] = [];
  #fail: (error: Error) => void = () => {};
  #telling: NodeJS.Timeout | undefined;

  constructor(server: MeasuredServer, channel: string) {
    this.#server = server;
    this.#channel = channel;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  /** Connects and subscribes so many, one after the other as far as the server is asked. */
  async join(count: number): Promise<void> {
    for (let joined = 0; joined < count; joined += AT_ONCE) {
      const group = Array.from({ length: Math.min(AT_ONCE, count - joined) }, () => this.add());
      await Promise.race([Promise.all(group), this.failed]);
    }
  }

  /** One more subscriber. Resolves when it stands. */
  add(heard?: Heard, lane?: Lane): Promise<void> {
    const fail = (error: Error): void => this.#fail(error);
    const tally = new Tally(fail, heard);
    this.#tallies.push(tally);
    return new Promise((standing) => {
      const options = { port: this.#server.port, channel: this.#channel, ...(lane === undefined ? {} : { lane }) };
      const wire = connectWire(this.#server.system, options, {
        standing,
        message: (bytes, start, end) => tally.take(bytes, start, end),
        failed: fail,
      });
      this.#wires.push(wire);
    });
  }

  /** Messages that were received, by all. */
  get received(): number {
    return this.#tallies.reduce((sum, tally) => sum + tally.count, 0);
  }

  /** Messages that everyone has. */
  get least(): number {
    return this.#tallies.reduce((least, tally) => Math.min(least, tally.count), Number.POSITIVE_INFINITY);
  }

  /** Keeps the server told how far the last of them is. */
  tell(): void {
    let told = -1;
    this.#telling = setInterval(() => {
      const { least } = this;
      if (least !== told) this.#server.received(least);
      told = least;
    }, TELL_MS);
  }

  /** Resolves when everyone has so many. @throws Error when somebody does not get them */
  async complete(published: number): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    while (this.least < published) {
      if (performance.now() > until) throw new Error(`${published} were published, and a receiver got ${this.least}`);
      await this.pause(LOOK_MS);
    }
  }

  /** Waits, unless something goes wrong meanwhile. */
  pause(ms: number): Promise<void> {
    const over = new Promise<void>((resolve) => void setTimeout(resolve, ms));
    return Promise.race([over, this.failed, this.#server.failed]);
  }

  leave(): void {
    clearInterval(this.#telling);
    for (const wire of this.#wires) wire.destroy();
  }
}
