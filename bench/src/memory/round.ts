import { Audience } from "../measured/audience.ts";
import type { MeasuredOptions, System } from "../measured/measured-server.ts";
import { MeasuredServer } from "../measured/measured-server.ts";

export interface MemoryOptions extends MeasuredOptions {
  readonly connections: number;
  readonly channels: number;
  /** Milliseconds between two looks at what the server holds. */
  readonly lookMs: number;
}

/** Connections that come and go before, so that what the first ones load and compile is not counted. */
const FIRST = 50;

/** Memory has settled when a look finds less than this share of change… */
const STEADY = 0.005;

/** …or after so many looks. */
const LOOKS = 15;

/**
 * How much a server's memory (its resident set, after garbage collection, once it has settled) grows for each idle connection
 * that has one subscription.
 *
 * @throws Error when a connection was lost meanwhile
 */
export async function bytesPerConnection(system: System, options: MemoryOptions): Promise<number> {
  const { folder, flags = [], connections, channels, lookMs } = options;
  const server = await MeasuredServer.start(system, { folder, flags: ["--expose-gc", ...flags] });
  const first = new Audience(server);
  const audience = new Audience(server);
  try {
    const channelOf = (index: number): string => `feed:${index % channels}`;
    await first.join(FIRST, channelOf);
    first.leave();
    const before = await settled(server, audience, lookMs);
    await audience.join(connections, channelOf);
    const after = await settled(server, audience, lookMs);
    const { connections: open } = await server.ask("usage");
    if (open !== connections) throw new Error(`${connections} connections were made, and ${open} are open`);
    return (after - before) / connections;
  } finally {
    audience.leave();
    await server.end();
  }
}

/** Bytes that the server's process holds, once they do not change any more. */
async function settled(server: MeasuredServer, audience: Audience, lookMs: number): Promise<number> {
  let bytes = 0;
  for (let look = 0; look < LOOKS; look++) {
    await audience.pause(lookMs);
    const { rssBytes } = await server.ask("collect");
    if (Math.abs(rssBytes - bytes) < STEADY * rssBytes) return rssBytes;
    bytes = rssBytes;
  }
  return bytes;
}
