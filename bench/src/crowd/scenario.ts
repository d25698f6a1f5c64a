import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { measureCrowd } from "./round.ts";

const WORK = { members: 500, full: 50, movesPerSecond: 10, warmUpMs: 2_000 } as const;

export const crowd: Scenario = {
  summary: "500 present members in one room, each moving a cursor ten times a second, all of them visible to all",
  async run({ rounds, seconds, folder: parent, profile, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    const measure = async () => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
      return { ...(await measureCrowd({ folder, flags, measureMs: seconds * 1_000, ...WORK })) };
    };
    try {
      const systems = await inTurns({ tandem: measure }, rounds, (_, round, figures) => {
        const all = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(2)}`);
        progress(`round ${round}  ${all.join("  ")}`);
      });
      return {
        systems,
        goals: [
          { system: "tandem", figure: "moveP95Ms", most: 100 },
          { system: "tandem", figure: "deliveredPerMoverPerSecond", least: 5 },
        ],
        notes: [
          `${WORK.members} members, ${WORK.full} of them full clients, the others bare sockets that move, acknowledge and count. Medians of ${rounds} rounds of ${seconds} s.`,
          "A delay is from the call of `send` to the callback on another full client's screen, every pair counted, in one process and by one clock.",
        ],
      };
    } finally {
      data.remove();
    }
  },
};
