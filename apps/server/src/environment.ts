import type { Configuration, Environment } from "@tandem/server";
import { ConfigurationError, developmentSecret, readConfiguration } from "@tandem/server";
import { CommandError, EXIT } from "./exit.ts";

/** Options of the command line that stand for settings, by setting. What is given there comes before the environment. */
export type Overrides = Readonly<Record<string, string | undefined>>;

/** The configuration of a server, from the environment and the command line. @throws CommandError with every problem */
export function configurationOf(environment: Environment, overrides: Overrides = {}): Configuration {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  try {
    return readConfiguration({ ...environment, ...Object.fromEntries(given) });
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    throw new CommandError(error.message, EXIT.usage, "configuration");
  }
}

/** The secret of a development server, from its data folder. @throws CommandError where that cannot be used */
export function secretIn(data: string): string {
  try {
    return developmentSecret(data);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(
      `The data folder ${data} cannot be used: name another with --data or TANDEM_DATA. ${reason}`,
      EXIT.failure,
      "storage-unavailable",
    );
  }
}
