import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import { measureTandem } from "../durable/tandem.ts";
import type { Sending } from "../durable/work.ts";
import { WORK } from "../durable/work.ts";
import type { Figures } from "../report.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";

const CLIENTS = 100;

/** Milliseconds before each measurement in which everything gets warm. */
const WARM_UP_MS = 1_000;

export const commands: Scenario = {
  summary:
    "100 clients, commands of a model on 100 channels and on one; beside as many publishes, which no model decides",
  async run({ rounds, seconds, folder: parent, profile, progress }) {
    const data = new DataFolder(parent);
    const load = { inFlight: WORK.inFlight, warmUpMs: WARM_UP_MS, measureMs: seconds * 1_000 };
    const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
    let folders = 0;
    let busiest = 0;
    const measure = async (sending: Sending, channels: number): Promise<Figures> => {
      const folder = join(data.path, String(++folders));
      const round = await measureTandem(folder, channels, load, { flags, publishers: CLIENTS, sending });
      busiest = Math.max(busiest, round.loadCpu);
      const { publishesPerSecond: commandsPerSecond, batchMean, cpuMicrosPerPublish: cpuMicrosPerCommand } = round;
      return { commandsPerSecond, batchMean, cpuMicrosPerCommand };
    };
    const onEach = (sending: Sending) => async (): Promise<Figures> => {
      const one = Object.entries(await measure(sending, 1)).map(([name, value]) => [`${name}.oneChannel`, value]);
      return { ...(await measure(sending, CLIENTS)), ...Object.fromEntries(one) };
    };
    try {
      const systems = { tandem: onEach("command"), durable: onEach("publish") };
      const found = await inTurns(systems, rounds, (system, round, figures) => {
        const all = Object.entries(figures).map(([name, value]) => `${name} ${Math.round(value).toLocaleString("en")}`);
        progress(`round ${round}  ${system.padEnd(7)} ${all.join("  ")}`);
      });
      return {
        systems: found,
        goals: [{ system: "tandem", figure: "commandsPerSecond", peer: "durable", least: 0.5 }],
        notes: [
          `${CLIENTS} clients, ${WORK.inFlight} in flight each, ${WORK.payloadBytes} bytes; a channel each, or one for all (oneChannel); medians of ${rounds} rounds of ${seconds} s. The system durable is Tandem's own publish, with the same clients.`,
          `The load took up to ${busiest.toFixed(2)} of a core.`,
        ],
      };
    } finally {
      data.remove();
    }
  },
};
