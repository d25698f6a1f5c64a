import { Audience } from "../measured/audience.ts";
import type { MeasuredOptions, System } from "../measured/measured-server.ts";
import { MeasuredServer } from "../measured/measured-server.ts";
import { clockMicros, payloadOf } from "../measured/payload.ts";
import { percentile } from "../measured/percentile.ts";
import type { Wire } from "../wire/wire.ts";

export interface LatencyOptions extends MeasuredOptions {
  readonly channels: number;
  /** Connections of each channel. All of them publish. */
  readonly members: number;
  readonly publishesPerSecond: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

/** Milliseconds from a client's publish to each member's reading it, and to its own acknowledgement. */
interface Latency {
  readonly receiveP50Ms: number;
  readonly receiveP99Ms: number;
  readonly ackP50Ms: number;
  readonly ackP99Ms: number;
}

export interface LatencyRound {
  readonly latency: Latency;
  readonly published: number;
  /** Messages that all members got, all that were published to their channels. */
  readonly received: number;
  /** Share of one core that the load took. */
  readonly loadCpu: number;
}

/** Most publishes that are made up for in one turn, when a timer came late. */
const CATCH_UP = 20;

/**
 * Clients publish in turns at an even pace. What counts is between the client's write and the reading of each member, all in one
 * process and by one clock.
 *
 * @throws Error when a message was lost, doubled or came out of order, or an acknowledgement did not come
 */
export async function measureLatency(system: System, options: LatencyOptions): Promise<LatencyRound> {
  const server = await MeasuredServer.start(system, options);
  const audience = new Audience(server);
  try {
    const received: number[] = [];
    const publishers = await join(audience, options, (made) => received.push(clockMicros() - made));
    const load = new PublishingClients(publishers, options.publishesPerSecond);
    load.begin();
    await audience.pause(options.warmUpMs);
    const start = { time: performance.now(), cpu: process.cpuUsage() };
    received.length = 0;
    load.acknowledged.length = 0;
    await audience.pause(options.measureMs);
    const latency = {
      receiveP50Ms: percentile(received, 0.5) / 1_000,
      receiveP99Ms: percentile(received, 0.99) / 1_000,
      ackP50Ms: percentile(load.acknowledged, 0.5) / 1_000,
      ackP99Ms: percentile(load.acknowledged, 0.99) / 1_000,
    };
    const { user, system: kernel } = process.cpuUsage(start.cpu);
    const loadCpu = (user + kernel) / 1_000 / (performance.now() - start.time);
    const published = load.stop();
    await audience.complete(published);
    while (load.waiting > 0) await audience.pause(10);
    const all = Object.values(published).reduce((sum, count) => sum + count, 0);
    if (audience.received !== all * options.members) throw new Error("a receiver got more than was published");
    return { latency, published: all, received: audience.received, loadCpu };
  } finally {
    audience.leave();
    await server.end();
  }
}

interface PublishingClient {
  readonly channel: string;
  /** Which of its channel's members it is. */
  readonly source: number;
  readonly wire: Wire;
}

/** Connects everyone; publishes go through the channels first, then through their members. */
async function join(
  audience: Audience,
  { channels, members }: LatencyOptions,
  heard: (made: number) => void,
): Promise<PublishingClient[]> {
  const clients: PublishingClient[] = [];
  for (let source = 0; source < members; source++) {
    const names = Array.from({ length: channels }, (_, index) => `feed:${index}`);
    const joining = names.map(async (channel) => {
      const wire = await audience.add(channel, { heard: (_seq, made) => heard(made) });
      return { channel, source, wire };
    });
    clients.push(...(await Promise.race([Promise.all(joining), audience.failed])));
  }
  return clients;
}

/** Clients that publish in turns. */
class PublishingClients {
  /** Microseconds that each acknowledgement took. */
  readonly acknowledged: number[] = [];
  /** Publishes whose acknowledgement has not come. */
  waiting = 0;
  readonly #clients: readonly PublishingClient[];
  readonly #perSecond: number;
  readonly #published = new Map<string, number>();
  #turns = 0;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(clients: readonly PublishingClient[], perSecond: number) {
    this.#clients = clients;
    this.#perSecond = perSecond;
  }

  begin(): void {
    this.#since = performance.now();
    this.#turn();
  }

  /** @returns the number of publishes of each channel */
  stop(): Record<string, number> {
    clearTimeout(this.#timer);
    return Object.fromEntries(this.#published);
  }

  #turn(): void {
    const due = Math.floor(((performance.now() - this.#since) * this.#perSecond) / 1_000);
    for (let at = 0; at < Math.min(due, CATCH_UP); at++) this.#publish();
    this.#since = due > CATCH_UP ? performance.now() : this.#since + (due * 1_000) / this.#perSecond;
    this.#timer = setTimeout(() => this.#turn(), 1);
  }

  #publish(): void {
    const turn = this.#turns++;
    const client = this.#clients[turn % this.#clients.length];
    if (!client) return;
    const { channel, source, wire } = client;
    this.#published.set(channel, (this.#published.get(channel) ?? 0) + 1);
    this.waiting++;
    const made = clockMicros();
    wire.publish(payloadOf(Math.floor(turn / this.#clients.length) + 1, source), () => {
      this.waiting--;
      this.acknowledged.push(clockMicros() - made);
    });
  }
}
