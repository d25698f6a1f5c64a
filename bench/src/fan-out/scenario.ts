import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { DataFolder } from "../data-folder.ts";
import { bunCommand } from "../measured/bun-command.ts";
import type { System } from "../measured/measured-server.ts";
import { PAYLOAD_BYTES } from "../measured/payload.ts";
import type { Figures } from "../report.ts";
import type { Round } from "../rounds.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { measureDelay } from "./delay.ts";
import type { FanOutRound, RoundOptions } from "./round.ts";
import { measureFanOut } from "./round.ts";
import { PACES, WORK } from "./work.ts";

/** Whoever delivers this share of what is due has kept the pace. */
const KEPT = 0.95;

/** Milliseconds before each measurement in which everything gets warm. */
const WARM_UP_MS = 1_000;

export const fanOut: Scenario = {
  summary: "500 subscribers of one durable channel; beside Socket.IO, a ws loop and Bun, which store nothing",
  async run({ rounds, seconds, folder: parent, profile, progress }) {
    const data = new DataFolder(parent);
    let folders = 0;
    const options = (): RoundOptions => {
      const folder = join(data.path, String(++folders));
      mkdirSync(folder);
      const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
      return { folder, flags, subscribers: WORK.subscribers, warmUpMs: WARM_UP_MS, measureMs: seconds * 1_000 };
    };
    let busiest = 0;
    const measure = async (system: System): Promise<Figures> => {
      const round = await measureFanOut(system, options());
      busiest = Math.max(busiest, round.paced.loadCpu, round.burst.loadCpu);
      return figuresOf(round);
    };
    const systems: Record<string, Round> = {
      tandem: async () => {
        const figures = await measure("tandem");
        const { addedP50Ms, addedP99Ms, immediateP99Ms } = await measureDelay(options());
        return { ...figures, addedDelayP50Ms: addedP50Ms, addedDelayP99Ms: addedP99Ms, immediateP99Ms };
      },
      "socket.io": () => measure("socket.io"),
      ws: () => measure("ws"),
    };
    if (bunCommand() !== undefined) systems.bun = () => measure("bun");
    try {
      const found = await inTurns(systems, rounds, (system, round, figures) =>
        progress(lineOf(system, round, figures)),
      );
      const keptPace = (system: string): boolean =>
        (found[system]?.["messagesPerSecond.paced"] ?? 0) >= KEPT * PACES.paced.perSecond * WORK.subscribers;
      const behind = Object.keys(found).filter((system) => !keptPace(system));
      return {
        systems: found,
        goals: [
          { system: "tandem", figure: "cpuMicrosPerMessage.burst", peer: "socket.io", most: 0.12 },
          { system: "tandem", figure: "cpuMicrosPerMessage.burst", peer: "bun", most: 1.3 },
          // At less than the pace there is more to send at a time, and a message costs less: that is another measurement.
          ...(keptPace("tandem")
            ? [
                { system: "tandem", figure: "cpuMicrosPerMessage.paced", peer: "socket.io", most: 0.25 },
                { system: "tandem", figure: "addedDelayP99Ms", most: 10 },
              ]
            : []),
        ],
        notes: [
          `${WORK.subscribers} subscribers, ${PAYLOAD_BYTES} bytes; paced: one publish a millisecond; burst: ten in each turn; never more than ${WORK.backlog} publishes on their way. Medians of ${rounds} rounds of ${seconds} s.`,
          behind.length === 0 ? "All kept the pace." : `Did not keep the pace: ${behind.join(", ")}.`,
          ...(keptPace("tandem")
            ? []
            : [
                "The machine is too busy for Tandem to keep the pace: its paced figures are not judged. Measure again.",
              ]),
          `The receivers took up to ${busiest.toFixed(2)} of a core.`,
          ...(systems.bun ? [] : ["bun was left out: its package has no program for this machine."]),
        ],
      };
    } finally {
      data.remove();
    }
  },
};

function figuresOf({ paced, burst }: FanOutRound): Figures {
  return {
    "cpuMicrosPerMessage.paced": paced.cpuMicrosPerMessage,
    "cpuMicrosPerMessage.burst": burst.cpuMicrosPerMessage,
    "messagesPerSecond.paced": paced.messagesPerSecond,
    "messagesPerSecond.burst": burst.messagesPerSecond,
  };
}

function lineOf(system: string, round: number, figures: Figures): string {
  const all = Object.entries(figures).map(([name, value]) => `${name} ${Number(value.toPrecision(3))}`);
  return `round ${round}  ${system.padEnd(9)} ${all.join("  ")}`;
}
