import { join } from "node:path";
import { TandemError } from "@tandem/protocol";
import type { Environment } from "@tandem/server";
import { LOG_FILE, restoreSqlite } from "@tandem/server";
import { configurationOf } from "../environment.ts";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";

/** Puts a backup in the place of the log. The server must be stopped: the log's lock tells. */
export async function restore(
  backup: string,
  target: string | undefined,
  options: { readonly data?: string },
  environment: Environment,
  output: Output,
): Promise<void> {
  const { data } = configurationOf({ ...environment, TANDEM_MODE: "development" }, { TANDEM_DATA: options.data });
  const file = target ?? join(data, LOG_FILE);
  try {
    const kept = await restoreSqlite(backup, file, (share) => output.progress(`Copying: ${Math.floor(share * 100)} %`));
    const aside = kept === undefined ? "" : ` The log that was there is kept as ${kept}.`;
    output.result({ file, backup, kept }, `${file} is now what ${backup} holds.${aside}`);
  } catch (error) {
    throw error instanceof TandemError ? new CommandError(error.message, EXIT.failure, error.code) : error;
  } finally {
    output.progress(undefined);
  }
}
