import { Audience } from "../measured/audience.ts";
import { MeasuredServer } from "../measured/measured-server.ts";
import { clockMicros } from "../measured/payload.ts";
import { percentile } from "../measured/percentile.ts";
import type { RoundOptions } from "./round.ts";
import { CHANNEL, PACES, WORK } from "./work.ts";

export interface Delay {
  /** How much later than its companion, which never waits, a subscriber got a message: half of them, and 99 of 100, not more than this. */
  readonly addedP50Ms: number;
  readonly addedP99Ms: number;
  /** From the application's call, over the commit, to a subscriber that never waits. */
  readonly immediateP99Ms: number;
}

/**
 * At the paced rate, compares subscribers of Tandem's normal lane, which may wait for company in their frames, with companions of
 * the critical lane, which never wait. A pair joins one right after the other, so that both stand at the same place of the line.
 *
 * @throws Error when a message was lost, doubled or came out of order
 */
export async function measureDelay(options: RoundOptions): Promise<Delay> {
  const server = await MeasuredServer.start("tandem", options);
  const audience = new Audience(server);
  try {
    const pairs: Pair[] = [];
    const group = Math.floor((options.subscribers - 2 * WORK.pairs) / WORK.pairs);
    while (pairs.length < WORK.pairs) {
      await audience.join(Math.max(0, group), () => CHANNEL);
      const pair = new Pair();
      await audience.add(CHANNEL, { heard: (seq, made) => pair.immediate(seq, made), lane: "critical" });
      await audience.add(CHANNEL, { heard: (seq) => pair.normal(seq), lane: "normal" });
      pairs.push(pair);
    }
    audience.tell();
    await server.ask("publish", { pace: PACES.paced, channels: [CHANNEL], backlog: WORK.backlog });
    await audience.pause(options.warmUpMs);
    for (const pair of pairs) pair.begin();
    await audience.pause(options.measureMs);
    const added = pairs.flatMap((pair) => pair.added());
    const immediate = pairs.flatMap((pair) => pair.taken);
    await audience.complete(await server.ask("stop"));
    return {
      addedP50Ms: percentile(added, 0.5) / 1_000,
      addedP99Ms: percentile(added, 0.99) / 1_000,
      immediateP99Ms: percentile(immediate, 0.99) / 1_000,
    };
  } finally {
    audience.leave();
    await server.end();
  }
}

/** When two subscribers got the same messages, in microseconds. */
class Pair {
  /** What the one that never waits took from the application's call. */
  taken: number[] = [];
  #immediate = new Map<number, number>();
  #normal = new Map<number, number>();

  /** Forgets the warm-up. */
  begin(): void {
    this.taken = [];
    this.#immediate.clear();
    this.#normal.clear();
  }

  immediate(seq: number, made: number): void {
    const now = clockMicros();
    this.#immediate.set(seq, now);
    this.taken.push(now - made);
  }

  normal(seq: number): void {
    this.#normal.set(seq, clockMicros());
  }

  /** How much later the other one got each message that both have. */
  added(): number[] {
    return [...this.#normal].flatMap(([seq, at]) => {
      const before = this.#immediate.get(seq);
      return before === undefined ? [] : [at - before];
    });
  }
}
