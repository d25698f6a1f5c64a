import type { MeasuredOptions } from "../measured/measured-server.ts";
import { MeasuredServer } from "../measured/measured-server.ts";
import { percentile } from "../measured/percentile.ts";
import { Attendance } from "./attendance.ts";
import type { JitterOptions } from "./jitter.ts";
import { jitter } from "./jitter.ts";
import { SocketIoMember } from "./socket-io-member.ts";
import { TandemMember } from "./tandem-member.ts";

const MEMBERS = { tandem: TandemMember, "socket.io": SocketIoMember };

export interface StormOptions extends MeasuredOptions, JitterOptions {
  readonly clients: number;
  readonly channels: number;
  readonly publishesPerSecond: number;
  /** Milliseconds of load before the cut, and after everybody is back. */
  readonly calmMs: number;
}

export interface StormRound {
  /** Messages that some client never got, of all clients. */
  readonly missing: number;
  readonly duplicated: number;
  readonly disordered: number;
  /** From the cut of all connections until the last client stood again. */
  readonly lastLiveSeconds: number;
  /** From the moment that a client could come back until it stood and had what it missed: 99 of 100 returns. */
  readonly replayP99Seconds: number;
  /** Returns of all clients. */
  readonly returns: number;
  readonly delivered: number;
  /** Share of one core that the clients took from the cut until the last one stood. */
  readonly loadCpu: number;
}

/** Clients that open their first connection at the same time. */
const AT_ONCE = 50;

/** Milliseconds after the last publish in which the last deliveries come, and how often it is looked whether they have. */
const DRAIN_MS = 5_000;
const LOOK_MS = 100;

/** All connections are cut at once, under load; then each one again and again. */
export async function measureStorm(system: keyof typeof MEMBERS, options: StormOptions): Promise<StormRound> {
  const { clients, calmMs } = options;
  const channels = Array.from({ length: options.channels }, (_, index) => `feed:${index}`);
  const server = await MeasuredServer.start(system, options);
  const attendance = new Attendance();
  try {
    for (let joined = 0; joined < clients; joined++) {
      const channel = channels[joined % channels.length] ?? "";
      attendance.add((events) => new MEMBERS[system]({ port: server.port, channel }, events));
      if (joined % AT_ONCE === AT_ONCE - 1) await attendance.complete();
    }
    await attendance.complete();
    await server.ask("publish", { pace: { kind: "paced", perSecond: options.publishesPerSecond }, channels });
    await attendance.pause(calmMs);
    attendance.returns.length = 0;

    const start = { time: performance.now(), cpu: process.cpuUsage() };
    attendance.awaitAll();
    const cut = await server.ask("cut");
    if (cut !== clients) throw new Error(`${clients} clients were connected, and ${cut} connections cut`);
    await attendance.complete();
    const lastLive = performance.now() - start.time;
    const { user, system: kernel } = process.cpuUsage(start.cpu);
    await attendance.pause(calmMs);

    const cuts = await jitter(attendance, options);
    await attendance.complete();
    if (attendance.returns.length !== clients + cuts) throw new Error("a client came back without having been away");
    const published = await Promise.race([server.ask("stop"), attendance.failed]);
    const until = performance.now() + DRAIN_MS;
    while (attendance.count(published).missing > 0 && performance.now() < until) await attendance.pause(LOOK_MS);
    const delivered = attendance.attendants.reduce((sum, { counts }) => sum + counts.filter(Boolean).length, 0);
    return {
      ...attendance.count(published),
      disordered: attendance.disordered,
      lastLiveSeconds: lastLive / 1_000,
      replayP99Seconds: percentile(attendance.returns, 0.99) / 1_000,
      returns: attendance.returns.length,
      delivered,
      loadCpu: (user + kernel) / 1_000 / lastLive,
    };
  } finally {
    attendance.leave();
    await server.end();
  }
}
