import { statSync } from "node:fs";
import { join } from "node:path";
import { TandemError } from "@tandem/protocol";
import type { Environment } from "@tandem/server";
import { backupSqlite, LOG_FILE } from "@tandem/server";
import { configurationOf } from "../environment.ts";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { size } from "../output.ts";

/** Copies the log as it is at one moment, beside a running server. */
export async function backup(
  target: string,
  options: { readonly data?: string },
  environment: Environment,
  output: Output,
): Promise<void> {
  const { data } = configurationOf({ ...environment, TANDEM_MODE: "development" }, { TANDEM_DATA: options.data });
  const file = join(data, LOG_FILE);
  try {
    await backupSqlite(file, target, (share) => output.progress(`Copying: ${Math.floor(share * 100)} %`));
    const { size: bytes } = statSync(target);
    output.result({ file, target, bytes }, `${target} (${size(bytes)})`);
  } catch (error) {
    throw error instanceof TandemError ? new CommandError(error.message, EXIT.failure, error.code) : error;
  } finally {
    output.progress(undefined);
  }
}
