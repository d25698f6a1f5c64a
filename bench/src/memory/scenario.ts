import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import type { System } from "../measured/measured-server.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { bytesPerConnection } from "./round.ts";

const WORK = { connections: 10_000, channels: 100, lookMs: 1_000 } as const;

export const memory: Scenario = {
  summary: "bytes of the server for each of 10,000 idle connections; beside Socket.IO and bare ws",
  async run({ rounds, folder: parent, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    const measure = (system: System) => async () => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      return { bytesPerConnection: await bytesPerConnection(system, { folder, ...WORK }) };
    };
    const systems = { tandem: measure("tandem"), "socket.io": measure("socket.io"), ws: measure("ws") };
    try {
      const found = await inTurns(systems, rounds, (system, round, { bytesPerConnection: bytes = 0 }) =>
        progress(`round ${round}  ${system.padEnd(9)} ${Math.round(bytes).toLocaleString("en")} bytes`),
      );
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "bytesPerConnection", most: 10_240 },
          { system: "tandem", figure: "bytesPerConnection", peer: "socket.io", most: 0.5 },
        ],
        notes: [
          `${WORK.connections.toLocaleString("en")} connections, one subscription each, on ${WORK.channels} channels. Medians of ${rounds} rounds.`,
        ],
      };
    } finally {
      data.remove();
    }
  },
};
