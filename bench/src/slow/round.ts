import { Audience } from "../measured/audience.ts";
import { MeasuredServer } from "../measured/measured-server.ts";
import type { PublishOrder } from "../measured/orders.ts";
import { clockMicros } from "../measured/payload.ts";
import { percentile } from "../measured/percentile.ts";
import type { Wire } from "../wire/wire.ts";
import { Deliveries } from "./deliveries.ts";

export interface SlowOptions {
  /** Folder for the server's data. */
  readonly folder: string;
  readonly fast: number;
  readonly slow: number;
  /** Of a slow reader. */
  readonly bytesPerSecond: number;
  readonly publishesPerSecond: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface SlowRound {
  /** From the application's call to a fast reader: 99 of 100 deliveries, and half of them, not later than this. */
  readonly fastP99Ms: number;
  readonly fastP50Ms: number;
  /** What the server's resident set grew by while it was measured, garbage collected before and after. */
  readonly grownBytes: number;
  /** Of each slow reader. */
  readonly deliveries: readonly Deliveries[];
  readonly published: number;
  /** Messages that a slow reader had at the end of the measurement, on average. */
  readonly slowlyRead: number;
}

const CHANNEL = "feed:all";

/** A commit stores fewer publishes of one millisecond's turn: see `Publishing`. */
const MOST_LIVE = 20;

/** Readers of which one in so many keeps times: enough for a percentile, and no load of its own. */
const SAMPLE = 10;

/**
 * One channel, some of whose subscribers read slowly for the whole measurement, and as fast as they can afterwards.
 *
 * @throws Error when anybody missed a message at the end, or was cut
 */
export async function measureSlow(options: SlowOptions): Promise<SlowRound> {
  const { folder, fast, slow, bytesPerSecond } = options;
  const server = await MeasuredServer.start("tandem", { folder, flags: ["--expose-gc"] });
  const audience = new Audience(server);
  try {
    const times: number[] = [];
    const heard = (_seq: number, made: number): void => void times.push(clockMicros() - made);
    await audience.join(fast - Math.ceil(fast / SAMPLE), () => CHANNEL);
    for (let at = 0; at < Math.ceil(fast / SAMPLE); at++) await audience.add(CHANNEL, { heard });
    const deliveries = Array.from({ length: slow }, () => new Deliveries(MOST_LIVE));
    let slowly = 0;
    const joining = deliveries.map((one) =>
      audience.add(CHANNEL, {
        bytesPerSecond,
        message: (frame) => one.take(frame),
        heard: () => void slowly++,
      }),
    );
    const slowReaders: Wire[] = await Promise.race([Promise.all(joining), audience.failed]);
    const order: PublishOrder = {
      pace: { kind: "paced", perSecond: options.publishesPerSecond },
      channels: [CHANNEL],
    };
    await server.ask("publish", order);
    await audience.pause(options.warmUpMs);
    await server.ask("stop");
    const before = await server.ask("collect");
    times.length = 0;
    await server.ask("publish", order);
    await audience.pause(options.measureMs);
    const slowlyRead = slow === 0 ? 0 : slowly / slow;
    const published = await server.ask("stop");
    const after = await server.ask("collect");
    const fastP50Ms = percentile(times, 0.5) / 1_000;
    const fastP99Ms = percentile(times, 0.99) / 1_000;
    for (const reader of slowReaders) reader.hurry();
    await audience.complete(published);
    return {
      fastP99Ms,
      fastP50Ms,
      grownBytes: after.rssBytes - before.rssBytes,
      deliveries,
      published: published[CHANNEL] ?? 0,
      slowlyRead,
    };
  } finally {
    audience.leave();
    await server.end();
  }
}
