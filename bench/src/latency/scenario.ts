import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import { syncTimes } from "../measured/disk.ts";
import type { System } from "../measured/measured-server.ts";
import type { Figures } from "../report.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { measureLatency } from "./round.ts";

const WORK = { channels: 100, members: 10, publishesPerSecond: 1_000, warmUpMs: 2_000 } as const;

export const latency: Scenario = {
  summary: "1,000 connections, 100 channels, 1,000 publishes a second, durable; beside Socket.IO, which stores nothing",
  async run({ rounds, seconds, folder: parent, profile, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    let busiest = 0;
    const measure = (system: System) => async (): Promise<Figures> => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
      const round = await measureLatency(system, { folder, flags, measureMs: seconds * 1_000, ...WORK });
      busiest = Math.max(busiest, round.loadCpu);
      return { ...round.latency };
    };
    try {
      const systems = { tandem: measure("tandem"), "socket.io": measure("socket.io") };
      const found = await inTurns(systems, rounds, (system, round, figures) => {
        const all = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)}`);
        progress(`round ${round}  ${system.padEnd(9)} ${all.join("  ")}`);
      });
      const disk = await syncTimes(data.path);
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "receiveP99Ms", peer: "socket.io", most: 1.5 },
          { system: "tandem", figure: "ackP99Ms", peer: "socket.io", most: 1.5 },
          { system: "tandem", figure: "receiveP99Ms", most: 10 },
          { system: "tandem", figure: "ackP99Ms", most: 10 },
        ],
        notes: [
          `${WORK.channels} channels of ${WORK.members} connections, ${WORK.publishesPerSecond} publishes a second by all of them in turns. Medians of ${rounds} rounds of ${seconds} s.`,
          `The load took up to ${busiest.toFixed(2)} of a core. The goals of 10 ms are for a quiet machine. Socket.IO stores nothing; Tandem's messages are synced to the disk before anybody gets them: on this one a sync of 8 KB alone takes ${disk.p50Ms.toFixed(2)} ms, at the 99th percentile ${disk.p99Ms.toFixed(2)}.`,
        ],
      };
    } finally {
      data.remove();
    }
  },
};
