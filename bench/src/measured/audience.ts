import type { Lane } from "@tandem/protocol";
import type { Wire } from "../wire/wire.ts";
import { connectWire } from "../wire/wire.ts";
import type { MeasuredServer } from "./measured-server.ts";
import type { Heard } from "./tally.ts";
import { Tally } from "./tally.ts";

/** How often, in milliseconds, the server is told how far the last receiver is. */
const TELL_MS = 5;

/** Connections that are opened at the same time. */
const AT_ONCE = 50;

/** How often, in milliseconds, it is looked whether the last deliveries have come. */
const LOOK_MS = 10;

/** Longest wait for the last deliveries, in milliseconds. */
const DRAIN_MS = 30_000;

export interface MemberOptions {
  /** Hears of every payload that it gets. */
  readonly heard?: Heard;
  /** Where a system has lanes. */
  readonly lane?: Lane;
  /** Bytes a second that it reads. Default: as fast as they come. */
  readonly bytesPerSecond?: number;
  /** Hears of every message, before its payloads are counted. */
  readonly message?: (text: Buffer) => void;
}

interface Member {
  readonly channel: string;
  readonly tally: Tally;
  readonly wire: Wire;
}

/** Subscribers of one channel each. The first that misses, doubles or swaps a message makes the measurement void. */
export class Audience {
  /** Rejects when a message was lost, or a connection was. */
  readonly failed: Promise<never>;
  readonly #server: MeasuredServer;
  readonly #members: Member[] = [];
  #fail: (error: Error) => void = () => {};
  #telling: NodeJS.Timeout | undefined;

  constructor(server: MeasuredServer) {
    this.#server = server;
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.failed.catch(() => {});
  }

  /** Connects and subscribes so many, each to the channel of its index, some at a time. */
  async join(count: number, channelOf: (index: number) => string): Promise<void> {
    for (let joined = 0; joined < count; joined += AT_ONCE) {
      const indices = Array.from({ length: Math.min(AT_ONCE, count - joined) }, (_, at) => joined + at);
      await Promise.race([Promise.all(indices.map((index) => this.add(channelOf(index)))), this.failed]);
    }
  }

  /** One more subscriber. Resolves when it stands. */
  add(channel: string, { heard, message, ...how }: MemberOptions = {}): Promise<Wire> {
    const fail = (error: Error): void => this.#fail(error);
    const tally = new Tally(fail, heard);
    return new Promise((resolve) => {
      const wire = connectWire(
        this.#server.system,
        { port: this.#server.port, channel, ...how },
        {
          standing: () => resolve(wire),
          message(bytes, start, end) {
            message?.(bytes.subarray(start, end));
            tally.take(bytes, start, end);
          },
          failed: fail,
        },
      );
      this.#members.push({ channel, tally, wire });
    });
  }

  /** Messages that were received, by all. */
  get received(): number {
    return this.#members.reduce((sum, { tally }) => sum + tally.count, 0);
  }

  /** Messages that the last of them has. */
  get least(): number {
    return this.#members.reduce((least, { tally }) => Math.min(least, tally.count), Number.POSITIVE_INFINITY);
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

  /** Resolves when everyone has all of its channel. @throws Error when somebody does not get them */
  async complete(published: Readonly<Record<string, number>>): Promise<void> {
    const until = performance.now() + DRAIN_MS;
    for (const { channel, tally } of this.#members) {
      const all = published[channel] ?? 0;
      while (tally.count < all) {
        if (performance.now() > until) throw new Error(`${all} were published, and a receiver got ${tally.count}`);
        await this.pause(LOOK_MS);
      }
    }
  }

  /** Waits, unless something goes wrong meanwhile. */
  pause(ms: number): Promise<void> {
    const over = new Promise<void>((resolve) => void setTimeout(resolve, ms));
    return Promise.race([over, this.failed, this.#server.failed]);
  }

  leave(): void {
    clearInterval(this.#telling);
    for (const { wire } of this.#members) wire.destroy();
  }
}
