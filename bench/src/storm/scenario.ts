import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import type { Figures } from "../report.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { measureStorm } from "./round.ts";

const WORK = {
  clients: 5_000,
  channels: 50,
  publishesPerSecond: 100,
  calmMs: 3_000,
  lifeMs: 15_000,
  outageMs: 2_000,
} as const;

export const storm: Scenario = {
  summary: "5,000 clients under load, all cut at once, then each about every 15 s; beside Socket.IO with its recovery",
  defaults: { rounds: 1, seconds: 60 },
  async run({ rounds, seconds, folder: parent, profile, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    let busiest = 0;
    const wrong: string[] = [];
    const measure = (system: "tandem" | "socket.io") => async (): Promise<Figures> => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
      const args = system === "socket.io" ? ["recovery"] : [];
      const options = { ...WORK, folder, flags, args, jitterMs: seconds * 1_000 };
      const { loadCpu, ...figures } = await measureStorm(system, options);
      busiest = Math.max(busiest, loadCpu);
      const { missing, duplicated, disordered } = figures;
      if (system === "tandem" && missing + duplicated + disordered > 0)
        wrong.push(
          `Tandem's clients missed ${missing} messages, got ${duplicated} again and ${disordered} out of order.`,
        );
      return figures;
    };
    try {
      const systems = { tandem: measure("tandem"), "socket.io": measure("socket.io") };
      const found = await inTurns(systems, rounds, (system, round, figures) => {
        const all = Object.entries(figures).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
        progress(`round ${round}  ${system.padEnd(9)} ${all.join("  ")}`);
      });
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "missing", most: 0 },
          { system: "tandem", figure: "duplicated", most: 0 },
          { system: "tandem", figure: "replayP99Seconds", most: 2.5 },
        ],
        notes: [
          `${WORK.clients.toLocaleString("en")} clients on ${WORK.channels} channels, ${WORK.publishesPerSecond} publishes a second; all cut at once, then for ${seconds} s each about every ${WORK.lifeMs / 1_000} s for ${WORK.outageMs / 1_000} s. Medians of ${rounds} rounds.`,
          `The clients took up to ${busiest.toFixed(2)} of a core while all of them came back.`,
        ],
        ...(wrong.length === 0 ? {} : { failure: wrong.join(" ") }),
      };
    } finally {
      data.remove();
    }
  },
};
