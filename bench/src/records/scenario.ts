import { DataFolder } from "../data-folder.ts";
import { significant } from "../report.ts";
import { inTurns } from "../rounds.ts";
import type { Scenario } from "../scenario.ts";
import { measureChanges, measureDocument, measureJoin } from "./round.ts";
import { Servers } from "./servers.ts";
import { WORK } from "./work.ts";

export const records: Scenario = {
  summary: "a client joins a channel of 50,000 records; beside the same as one JSON document; one change on 50 screens",
  async run({ rounds, folder: parent, profile, progress }) {
    const data = new DataFolder(parent);
    const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
    const servers = await Servers.start(data.path, WORK.records, flags);
    try {
      // What the first join and the first fetch load and compile is not counted, nor what the server reads from its log.
      await measureJoin(servers, WORK.records);
      await measureDocument(servers, WORK.records);
      const systems = {
        tandem: async () => ({ ...(await measureJoin(servers, WORK.records)) }),
        json: () => measureDocument(servers, WORK.records),
      };
      const found = await inTurns(systems, rounds, (system, round, figures) => {
        const all = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
        progress(`round ${round}  ${system.padEnd(6)} ${all.join("  ")}`);
      });
      const changeP95Ms = significant(await measureChanges(servers, WORK));
      return {
        systems: { ...found, tandem: { ...found.tandem, changeP95Ms } },
        goals: [
          { system: "tandem", figure: "firstPageMs", most: 100 },
          { system: "tandem", figure: "changeP95Ms", most: 100 },
        ],
        notes: [
          `${WORK.records.toLocaleString("en")} records. Medians of ${rounds} rounds after one that is not counted. firstPageMs: from the call of model() on a connected client to the first records shown.`,
          `changeP95Ms: ${WORK.changes} changes, one after the other, from the command's call to the callback on each of ${WORK.screens} other screens, which all hold all records, in one process; measured once.`,
        ],
      };
    } finally {
      await servers.end();
      data.remove();
    }
  },
};
