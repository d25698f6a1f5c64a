import type { Grants, Right } from "@tandem/app";
import { RIGHTS } from "@tandem/app";
import type { Environment } from "@tandem/server";
import { mintToken } from "@tandem/server";
import { configurationOf, secretIn } from "../environment.ts";
import { CommandError, EXIT } from "../exit.ts";
import type { Output } from "../output.ts";

export interface TokenOptions {
  readonly user: string;
  readonly name?: string;
  readonly tenant?: string;
  readonly grant?: readonly string[];
  readonly lifetime: string;
  readonly data?: string;
}

const DEFAULT_GRANTS: Grants = { "*": ["read", "publish"] };

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Makes a token with the server's secret. */
export async function token(options: TokenOptions, environment: Environment, output: Output): Promise<void> {
  const configuration = configurationOf(environment, { TANDEM_DATA: options.data });
  const { mode, jwks, issuer, audience, maxTokenSeconds } = configuration;
  if (configuration.secret === undefined && (mode === "production" || jwks !== undefined)) {
    throw new CommandError(
      "This server's tokens are signed with keys that are not here (TANDEM_JWKS): get one from who has them.",
      EXIT.usage,
    );
  }
  const secret = configuration.secret ?? secretIn(configuration.data);
  const lifetime = milliseconds(options.lifetime);
  const { user, name, tenant } = options;
  const grants = options.grant ? grantsOf(options.grant) : DEFAULT_GRANTS;
  const expires = new Date(Date.now() + lifetime).toISOString();
  try {
    const maxLifetime = maxTokenSeconds * 1_000;
    const made = await mintToken({ secret, user, name, tenant, grants, issuer, audience, lifetime, maxLifetime });
    output.result({ token: made, user, tenant: tenant ?? "default", grants, expires }, made);
  } catch (error) {
    if (error instanceof RangeError) throw new CommandError(error.message, EXIT.usage);
    throw error;
  }
}

/** `room:*=read,publish` */
function grantsOf(written: readonly string[]): Grants {
  const grants: Record<string, Right[]> = {};
  for (const grant of written) {
    const [pattern = "", rights = ""] = grant.split("=", 2);
    const named = rights.split(",").map((right) => right.trim());
    const wrong = named.find((right) => !RIGHTS.some((known) => known === right));
    if (pattern === "" || wrong !== undefined) {
      throw new CommandError(
        `"${grant}" is no grant: write PATTERN=RIGHT,RIGHT with rights of ${RIGHTS.join(", ")}.`,
        EXIT.usage,
      );
    }
    grants[pattern] = named as Right[];
  }
  return grants;
}

function milliseconds(written: string): number {
  const [, count, unit = ""] = /^(\d{1,6})([smhd])$/.exec(written) ?? [];
  const scale = UNITS[unit];
  if (count === undefined || scale === undefined) {
    throw new CommandError(`"${written}" is no lifetime: write a number and s, m, h or d, such as 8h.`, EXIT.usage);
  }
  return Number(count) * scale;
}
