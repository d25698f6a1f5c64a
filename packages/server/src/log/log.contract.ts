import { afterEach, describe, expect, it } from "vitest";
import { appendContract } from "./contract/append.contract.ts";
import { fenceContract } from "./contract/fence.contract.ts";
import { followingContract } from "./contract/following.contract.ts";
import { modelContract } from "./contract/model.contract.ts";
import { producerContract } from "./contract/producer.contract.ts";
import { readContract } from "./contract/read.contract.ts";
import { snapshotContract } from "./contract/snapshot.contract.ts";
import { upkeepContract } from "./contract/upkeep.contract.ts";
import type { Log, LogBounds } from "./log.ts";

/**
 * The contract of the port `Log`, run on every implementation.
 *
 * @param makeLog makes an empty log; the suite closes it
 */
export function logContract(name: string, makeLog: (bounds?: Partial<LogBounds>) => Promise<Log>): void {
  describe(`the log in ${name}`, () => {
    const made: Log[] = [];
    const make = async (bounds?: Partial<LogBounds>) => {
      const log = await makeLog(bounds);
      made.push(log);
      return log;
    };
    afterEach(async () => {
      for (const log of made.splice(0)) await log.close();
    });

    it("is writable", async () => {
      expect((await make()).health()).toEqual({ writable: true });
    });

    appendContract(make);
    producerContract(make);
    readContract(make);
    upkeepContract(make);
    followingContract(make);
    modelContract(make);
    fenceContract(make);
    snapshotContract(make);
  });
}
