import { Audience } from "../measured/audience.ts";
import type { MeasuredOptions, System } from "../measured/measured-server.ts";
import { MeasuredServer } from "../measured/measured-server.ts";
import type { Pace } from "../measured/orders.ts";
import { CHANNEL, PACES, WORK } from "./work.ts";

export interface RoundOptions extends MeasuredOptions {
  readonly subscribers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

interface Span {
  /** CPU time of the server's process for one message that one subscriber got. */
  readonly cpuMicrosPerMessage: number;
  /** Messages that subscribers got, all together. */
  readonly messagesPerSecond: number;
  /** Share of one core that the receivers took: near 1, they measure themselves. */
  readonly loadCpu: number;
}

export interface FanOutRound {
  readonly paced: Span;
  readonly burst: Span;
  /** Messages that each subscriber got, all of them in order. */
  readonly published: number;
}

/**
 * One round of one system: a new server, its subscribers, both paces after each other, and a count of everything.
 *
 * @throws Error when a message was lost, doubled or came out of order
 */
export async function measureFanOut(system: System, options: RoundOptions): Promise<FanOutRound> {
  const server = await MeasuredServer.start(system, options);
  const audience = new Audience(server);
  try {
    await audience.join(options.subscribers, () => CHANNEL);
    audience.tell();
    const paced = await measureSpan(server, audience, PACES.paced, options);
    const burst = await measureSpan(server, audience, PACES.burst, options);
    return { paced, burst, published: audience.least };
  } finally {
    audience.leave();
    await server.end();
  }
}

async function measureSpan(
  server: MeasuredServer,
  audience: Audience,
  pace: Pace,
  { warmUpMs, measureMs }: RoundOptions,
): Promise<Span> {
  await server.ask("publish", { pace, channels: [CHANNEL], backlog: WORK.backlog });
  await audience.pause(warmUpMs);
  const before = await server.ask("usage");
  const start = { time: performance.now(), cpu: process.cpuUsage(), received: audience.received };
  await audience.pause(measureMs);
  const after = await server.ask("usage");
  const seconds = (performance.now() - start.time) / 1_000;
  const { user, system } = process.cpuUsage(start.cpu);
  const received = audience.received - start.received;
  await audience.complete(await server.ask("stop"));
  return {
    cpuMicrosPerMessage: (after.cpuMicros - before.cpuMicros) / received,
    messagesPerSecond: received / seconds,
    loadCpu: (user + system) / 1e6 / seconds,
  };
}
