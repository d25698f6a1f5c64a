import { readFileSync } from "node:fs";
import type { Limits } from "@tandem/protocol";
import { DEFAULT_LIMITS, limitFaults } from "@tandem/protocol";
import * as v from "valibot";
import { nearest } from "./nearest.ts";
import type { Setting } from "./setting.ts";
import { ALL_SETTINGS, LIMIT_SETTINGS, SETTINGS } from "./settings.ts";

/** Why a server does not start: each problem is a sentence that says what to do. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** What a server was told by its environment, checked and complete. */
export interface Configuration {
  readonly mode: "development" | "production";
  readonly port: number;
  readonly host: string;
  readonly data: string;
  readonly config: string;
  readonly static: string | undefined;
  readonly maxConnections: number;
  readonly drainMs: number;
  readonly flushMs: number;
  readonly compressAbove: number;
  /** In development it may be missing: then the data folder's own is taken. */
  readonly secret: string | undefined;
  readonly jwks: { readonly url: string } | { readonly file: string } | undefined;
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly maxTokenSeconds: number;
  readonly origins: readonly string[] | undefined;
  readonly trustProxy: readonly string[];
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  readonly logFormat: "json" | "pretty";
  readonly limits: Limits;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that belong to the project's own tests. */
const FOR_TESTS = "TANDEM_TEST_";

const LEAST_SECRET = 32;

/**
 * Reads the configuration of a server. An unknown `TANDEM_` variable is refused too: it is a misspelling, and what was
 * meant by it would silently not be so.
 *
 * @throws ConfigurationError with every problem there is, not only the first
 */
export function readConfiguration(environment: Environment): Configuration {
  const problems = unknownNames(environment);

  function read<T>(setting: Setting<T>): T | undefined {
    const value = environment[setting.name];
    if (value === undefined) return undefined;
    const parsed = v.safeParse(setting.schema, value);
    if (parsed.success) return parsed.output;
    problems.push(wrongValue(setting, value));
    return undefined;
  }

  const mode = read(SETTINGS.mode) ?? (environment.NODE_ENV === "production" ? "production" : "development");
  const production = mode === "production";
  const issuer = read(SETTINGS.issuer);
  const audience = read(SETTINGS.audience);
  const jwks = read(SETTINGS.jwks);
  const secret = readSecret(read(SETTINGS.secret), read(SETTINGS.secretFile), problems);
  const limits = Object.fromEntries(
    Object.entries(LIMIT_SETTINGS).map(([key, setting]) => [key, read(setting) ?? DEFAULT_LIMITS[key as keyof Limits]]),
  ) as Limits;
  const configuration: Configuration = {
    mode,
    port: read(SETTINGS.port) ?? 8080,
    host: read(SETTINGS.host) ?? (production ? "0.0.0.0" : "127.0.0.1"),
    data: read(SETTINGS.data) ?? SETTINGS.data.default,
    config: read(SETTINGS.config) ?? SETTINGS.config.default,
    static: read(SETTINGS.static),
    maxConnections: read(SETTINGS.maxConnections) ?? 20_000,
    drainMs: read(SETTINGS.drainMs) ?? 10_000,
    flushMs: read(SETTINGS.flushMs) ?? 6,
    compressAbove: read(SETTINGS.compressAbove) ?? 1_024,
    secret,
    jwks: jwks === undefined ? undefined : /^https?:/i.test(jwks) ? { url: jwks } : { file: jwks },
    issuer,
    audience,
    maxTokenSeconds: read(SETTINGS.maxTokenSeconds) ?? 2_592_000,
    origins: read(SETTINGS.origins),
    trustProxy: read(SETTINGS.trustProxy) ?? [],
    logLevel: read(SETTINGS.logLevel) ?? "info",
    logFormat: read(SETTINGS.logFormat) ?? (production ? "json" : "pretty"),
    limits,
  };
  if (production) problems.push(...missingInProduction(configuration, environment));
  problems.push(...limitFaults(limits, (limit) => LIMIT_SETTINGS[limit].name));
  if (problems.length > 0) throw new ConfigurationError(problems);
  return configuration;
}

function unknownNames(environment: Environment): string[] {
  const known = ALL_SETTINGS.map((setting) => setting.name);
  return Object.keys(environment)
    .filter((name) => name.startsWith("TANDEM_") && !name.startsWith(FOR_TESTS) && !known.includes(name))
    .map((name) => {
      const meant = nearest(name, known);
      return `${name} is no setting of Tandem: ${meant === undefined ? "take it out" : `did you mean ${meant}?`} (All settings: docs/configuration.md)`;
    });
}

function wrongValue(setting: Setting, value: string): string {
  if (value === "") return `${setting.name} is empty: give it a value, or leave it out.`;
  const shown = setting.secret ? "has a wrong value" : `is ${JSON.stringify(value.slice(0, 100))}`;
  return `${setting.name} ${shown}: it must be ${setting.type}.`;
}

function readSecret(secret: string | undefined, file: string | undefined, problems: string[]): string | undefined {
  if (secret !== undefined && file !== undefined) {
    problems.push("TANDEM_SECRET and TANDEM_SECRET_FILE are both set: keep one.");
    return undefined;
  }
  const source = file === undefined ? "TANDEM_SECRET" : "TANDEM_SECRET_FILE";
  const value = file === undefined ? secret : readSecretFile(file, problems);
  if (value === undefined || Buffer.byteLength(value) >= LEAST_SECRET) return value;
  problems.push(
    `${source}: the secret has ${Buffer.byteLength(value)} bytes, and ${LEAST_SECRET} is the least. Make one with: openssl rand -base64 48`,
  );
  return undefined;
}

function readSecretFile(file: string, problems: string[]): string | undefined {
  try {
    return readFileSync(file, "utf8").trim();
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unreadable";
    problems.push(
      `TANDEM_SECRET_FILE names ${JSON.stringify(file)}, which cannot be read (${reason}): check its path and its rights.`,
    );
    return undefined;
  }
}

/** In production nothing is made up: who signs tokens must be told, and for a shared key set, which tokens are ours. */
function missingInProduction(configuration: Configuration, environment: Environment): string[] {
  const named = (setting: Setting) => environment[setting.name] !== undefined;
  if (!named(SETTINGS.secret) && !named(SETTINGS.secretFile) && !named(SETTINGS.jwks)) {
    return [
      "Production needs to know who signs tokens: set TANDEM_SECRET, TANDEM_SECRET_FILE or TANDEM_JWKS. (To try Tandem out: TANDEM_MODE=development)",
    ];
  }
  if (configuration.jwks === undefined) return [];
  return [SETTINGS.issuer, SETTINGS.audience]
    .filter((setting) => !named(setting))
    .map(
      (setting) => `TANDEM_JWKS needs ${setting.name} in production: a key set signs tokens for other services too.`,
    );
}
