import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import type { Figures } from "../report.ts";
import type { Round } from "../rounds.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { findRedis, measureRedis } from "./redis-peer.ts";
import { measureSqlite } from "./sqlite.ts";
import { measureTandem } from "./tandem.ts";
import { WORK } from "./work.ts";

/** Milliseconds before each measurement in which everything gets warm. */
const WARM_UP_MS = 1_000;

export const durable: Scenario = {
  summary: "64 publishing clients, acknowledged after the sync, each publish once; beside SQLite alone and Redis",
  async run({ rounds, seconds, folder: parent, progress }) {
    const data = new DataFolder(parent);
    const load = { inFlight: WORK.inFlight, warmUpMs: WARM_UP_MS, measureMs: seconds * 1_000 };
    const redis = findRedis();
    let folders = 0;
    const folder = (): string => {
      const path = join(data.path, String(++folders));
      mkdirSync(path);
      return path;
    };
    let busiest = 0;
    const systems: Record<string, Round> = {
      tandem: () =>
        onEach(async (channels) => {
          const { loadCpu, publishesPerSecond, batchMean, cpuMicrosPerPublish } = await measureTandem(
            folder(),
            channels,
            load,
          );
          busiest = Math.max(busiest, loadCpu);
          return { publishesPerSecond, batchMean, cpuMicrosPerPublish };
        }),
      sqlite: () => onEach(async (channels) => ({ publishesPerSecond: await measureSqlite(folder(), channels, load) })),
    };
    if (redis !== undefined) {
      systems.redis = () =>
        onEach(async (channels) => {
          const { publishesPerSecond } = await measureRedis(redis, folder(), channels, load);
          return { publishesPerSecond };
        });
    }
    try {
      progress(`Databases in ${data.path}.`);
      const found = await inTurns(systems, rounds, (system, round, figures) =>
        progress(lineOf(system, round, figures)),
      );
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "publishesPerSecond", peer: "sqlite", least: 0.3 },
          { system: "tandem", figure: "publishesPerSecond", peer: "redis", least: 1 },
        ],
        notes: [
          `${WORK.publishers} publishers, ${WORK.inFlight} in flight each, ${WORK.payloadBytes} bytes; a channel each, or one for all (oneChannel); medians of ${rounds} rounds of ${seconds} s.`,
          `Data in ${data.path}. Tandem's load took up to ${busiest.toFixed(2)} of a core.`,
          redis === undefined
            ? "redis was left out: there is no redis-server on this machine (as root it is installed by itself; else: apt install redis-server)."
            : `redis is ${redis} with appendonly yes, appendfsync always.`,
        ],
      };
    } finally {
      data.remove();
    }
  },
};

/** Measures on a channel for each publisher and, with names that say so, on one for all. */
async function onEach(measure: (channels: number) => Promise<Figures>): Promise<Figures> {
  const one = Object.entries(await measure(1)).map(([name, value]) => [`${name}.oneChannel`, value]);
  return { ...(await measure(WORK.publishers)), ...Object.fromEntries(one) };
}

function lineOf(system: string, round: number, figures: Figures): string {
  const all = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value).toLocaleString("en")}`);
  return `round ${round}  ${system.padEnd(7)} ${all.join("  ")}`;
}
