import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRuntime } from "@tandem/runtime";
import { afterAll } from "vitest";
import { agreementContract } from "../contract/agreement.contract.ts";
import { logContract } from "../log.contract.ts";
import { createMemoryLog } from "../memory.ts";
import { createSqliteLog } from "./sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "tandem-log-"));
let files = 0;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

logContract("SQLite", (bounds) =>
  createSqliteLog({ file: join(folder, `${++files}.db`), runtime: systemRuntime(), bounds }),
);

agreementContract(
  "the logs in memory and in SQLite",
  async (bounds) => [
    createMemoryLog({ bounds }),
    await createSqliteLog({ file: join(folder, `${++files}.db`), runtime: systemRuntime(), bounds }),
  ],
  25,
);
