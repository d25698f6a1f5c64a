import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import type { Figures } from "../report.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { measureSlow } from "./round.ts";

const WORK = { bytesPerSecond: 1_024, publishesPerSecond: 100, warmUpMs: 5_000 } as const;

const FAST = 900;
const SLOW = 100;

export const slow: Scenario = {
  summary:
    "1,000 subscribers, 100 of them reading 1 KB a second; beside the fast ones alone, and beside 1,000 fast ones",
  defaults: { rounds: 1, seconds: 90 },
  async run({ rounds, seconds, folder: parent, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    let slowlyRead = 0;
    let published = 0;
    let switched = 0;
    const measure = (fast: number, slowReaders: number) => async (): Promise<Figures> => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      const round = await measureSlow({ ...WORK, folder, fast, slow: slowReaders, measureMs: seconds * 1_000 });
      const { fastP50Ms, fastP99Ms, grownBytes, deliveries } = round;
      if (slowReaders === 0) return { fastP50Ms, fastP99Ms, grownBytes };
      ({ slowlyRead, published } = round);
      switched = deliveries.filter(({ switches }) => switches > 0).length;
      const catchUpSwitches = deliveries.reduce((sum, { switches }) => sum + switches, 0);
      const bytesPerSlowReader = Math.max(0, grownBytes) / slowReaders;
      return { fastP50Ms, fastP99Ms, grownBytes, bytesPerSlowReader, catchUpSwitches };
    };
    try {
      // As many sockets without a slow one: what of the ratio to those alone is their number's.
      const systems = { tandem: measure(FAST, SLOW), alone: measure(FAST, 0), allFast: measure(FAST + SLOW, 0) };
      const found = await inTurns(systems, rounds, (system, round, figures) => {
        const all = Object.entries(figures).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
        progress(`round ${round}  ${system.padEnd(7)} ${all.join("  ")}`);
      });
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "fastP99Ms", peer: "alone", most: 1.1 },
          { system: "tandem", figure: "bytesPerSlowReader", most: 1_048_576 },
          { system: "tandem", figure: "catchUpSwitches", least: SLOW },
        ],
        notes: [
          `${FAST} fast readers and ${SLOW} that read ${WORK.bytesPerSecond} bytes a second, ${WORK.publishesPerSecond} publishes a second on one channel; alone: the fast ones; allFast: ${FAST + SLOW} fast ones. Medians of ${rounds} rounds of ${seconds} s.`,
          `When publishing ended, a slow reader had ${Math.round(slowlyRead).toLocaleString("en")} of ${published.toLocaleString("en")} messages; ${switched} of ${SLOW} had switched to catching up. Afterwards every one of them got all there were.`,
        ],
      };
    } finally {
      data.remove();
    }
  },
};
