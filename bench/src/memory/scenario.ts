import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import type { System } from "../measured/measured-server.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { bytesPerConnection } from "./round.ts";

const WORK = { connections: 10_000, channels: 100, lookMs: 1_000 } as const;

/**
 * Left alone, Node.js lets the young generation grow to some 100 MB while clients come, and keeps it. `npm start` and the `tandem` command
 * bound it; the peers' documentation does not. So each system is measured both ways, and the figure without an addition is of the
 * way in which it is run.
 */
const SMALL_YOUNG_GENERATION = ["--max-semi-space-size=4"];

export const memory: Scenario = {
  summary: "bytes of the server for each of 10,000 idle connections; beside Socket.IO and bare ws",
  async run({ rounds, folder: parent, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    const measured = (system: System, flags: readonly string[]) => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      return bytesPerConnection(system, { folder, flags, ...WORK });
    };
    const measure = (system: System) => async () => {
      const plain = await measured(system, []);
      const small = await measured(system, SMALL_YOUNG_GENERATION);
      return {
        bytesPerConnection: system === "tandem" ? small : plain,
        "bytesPerConnection.plainNode": plain,
        "bytesPerConnection.smallYoungGeneration": small,
      };
    };
    const systems = { tandem: measure("tandem"), "socket.io": measure("socket.io"), ws: measure("ws") };
    try {
      const found = await inTurns(systems, rounds, (system, round, figures) => {
        const bytes = Object.values(figures).map((value) => Math.round(value).toLocaleString("en"));
        progress(`round ${round}  ${system.padEnd(9)} ${bytes.join("  ")} bytes`);
      });
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "bytesPerConnection", most: 10_240 },
          { system: "tandem", figure: "bytesPerConnection", peer: "socket.io", most: 0.5 },
          // Like for like: both with the same young generation.
          { system: "tandem", figure: "bytesPerConnection.plainNode", peer: "socket.io", most: 0.5 },
          { system: "tandem", figure: "bytesPerConnection.smallYoungGeneration", peer: "socket.io", most: 0.5 },
        ],
        notes: [
          `${WORK.connections.toLocaleString("en")} connections, one subscription each, on ${WORK.channels} channels. Medians of ${rounds} rounds.`,
          "plainNode: started by `node` alone; smallYoungGeneration: with --max-semi-space-size=4, as `npm start` and the `tandem` command do. The figure without an addition: Tandem as it is started, peers as their documentation says.",
        ],
      };
    } finally {
      data.remove();
    }
  },
};
