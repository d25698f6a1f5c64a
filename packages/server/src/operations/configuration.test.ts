import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_LIMITS } from "@tandem/protocol";
import { afterAll, describe, expect, it } from "vitest";
import type { Environment } from "./configuration.ts";
import { ConfigurationError, readConfiguration } from "./configuration.ts";
import { configurationDocs } from "./configuration-docs.ts";
import { DEVELOPMENT_SECRET, developmentSecret } from "./development-secret.ts";
import { ALL_SETTINGS } from "./settings.ts";

const folder = mkdtempSync(join(tmpdir(), "tandem-configuration-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SECRET = "a secret of more than thirty-two bytes";

function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfiguration(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
}

describe("configuration", () => {
  it("needs nothing in development", () => {
    expect(readConfiguration({ PATH: "/bin" })).toEqual({
      mode: "development",
      port: 8080,
      host: "127.0.0.1",
      data: "./data",
      config: "tandem.config.ts",
      maxConnections: 20_000,
      drainMs: 10_000,
      flushMs: 6,
      compressAbove: 1_024,
      maxTokenSeconds: 2_592_000,
      trustProxy: [],
      logLevel: "info",
      logFormat: "pretty",
      limits: DEFAULT_LIMITS,
    });
  });

  it("reads every setting", () => {
    const file = join(folder, "secret");
    writeFileSync(file, `${SECRET}\n`);
    const configuration = readConfiguration({
      TANDEM_MODE: "production",
      TANDEM_PORT: "0",
      TANDEM_HOST: "::1",
      TANDEM_DATA: "/var/lib/tandem",
      TANDEM_CONFIG: "app.ts",
      TANDEM_STATIC: "dist",
      TANDEM_MAX_CONNECTIONS: "5",
      TANDEM_DRAIN_MS: "500",
      TANDEM_SECRET_FILE: file,
      TANDEM_JWKS: "https://keys.test/jwks.json",
      TANDEM_ISSUER: "https://login.test",
      TANDEM_AUDIENCE: "tandem",
      TANDEM_MAX_TOKEN_SECONDS: "3600",
      TANDEM_ORIGINS: "https://a.test, http://localhost:5173",
      TANDEM_TRUST_PROXY: "10.0.0.0/8,::1",
      TANDEM_LOG_LEVEL: "debug",
      TANDEM_LOG_FORMAT: "pretty",
      TANDEM_LIMIT_FRAME_BYTES: "131072",
      TANDEM_LIMIT_IN_FLIGHT: "16",
      TANDEM_URL: "ws://a.test/ws",
      TANDEM_TOKEN: "x",
      TANDEM_TEST_CHROMIUM: "/usr/bin/chromium",
    });
    expect(configuration).toMatchObject({
      mode: "production",
      port: 0,
      host: "::1",
      secret: SECRET,
      jwks: { url: "https://keys.test/jwks.json" },
      origins: ["https://a.test", "http://localhost:5173"],
      trustProxy: ["10.0.0.0/8", "::1"],
      maxTokenSeconds: 3600,
      limits: { ...DEFAULT_LIMITS, frameBytes: 131_072, inFlight: 16 },
    });
  });

  it("takes production from NODE_ENV, with its own host and log format", () => {
    expect(readConfiguration({ NODE_ENV: "production", TANDEM_SECRET: SECRET })).toMatchObject({
      mode: "production",
      host: "0.0.0.0",
      logFormat: "json",
    });
    expect(readConfiguration({ NODE_ENV: "production", TANDEM_MODE: "development" }).mode).toBe("development");
  });

  it.each([
    ["TANDEM_PORT", "abc", "a whole number from 0 to 65535"],
    ["TANDEM_PORT", "-1", "a whole number from 0 to 65535"],
    ["TANDEM_PORT", "70000", "a whole number from 0 to 65535"],
    ["TANDEM_PORT", "80.5", "a whole number from 0 to 65535"],
    ["TANDEM_PORT", "1e3", "a whole number from 0 to 65535"],
    ["TANDEM_MODE", "prod", "one of development, production"],
    ["TANDEM_HOST", "a\nb", "an address of this machine"],
    ["TANDEM_MAX_CONNECTIONS", "0", "a whole number from 1"],
    ["TANDEM_DRAIN_MS", "10s", "a whole number from 100"],
    ["TANDEM_MAX_TOKEN_SECONDS", "59", "a whole number from 60"],
    ["TANDEM_ORIGINS", "app.example.com", "origins with commas between them"],
    ["TANDEM_ORIGINS", "https://a.test/", "origins with commas between them"],
    ["TANDEM_ORIGINS", "https://a.test,*", "origins with commas between them"],
    ["TANDEM_TRUST_PROXY", "10.0.0.0/33", "addresses or ranges"],
    ["TANDEM_TRUST_PROXY", "proxy", "addresses or ranges"],
    ["TANDEM_LOG_LEVEL", "verbose", "one of debug, info, warn, error, silent"],
    ["TANDEM_LOG_FORMAT", "xml", "one of json, pretty"],
    ["TANDEM_LIMIT_FRAME_BYTES", "10", "a whole number from 1024 to 16777216"],
    ["TANDEM_LIMIT_DEPTH", "three", "a whole number from 4 to 256"],
  ])("refuses %s=%s and says what it must be", (name, value, sentence) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(`${name} is ${JSON.stringify(value)}: it must be ${sentence}`);
  });

  it.each(ALL_SETTINGS.filter(({ group }) => group !== "command").map(({ name }) => name))(
    "refuses an empty %s",
    (name) => {
      expect(problemsOf({ [name]: "" })).toContain(`${name} is empty: give it a value, or leave it out.`);
    },
  );

  it("refuses an unknown setting, and names the one that was meant", () => {
    expect(problemsOf({ TANDEM_PROT: "1" })).toEqual([
      expect.stringContaining("TANDEM_PROT is no setting of Tandem: did you mean TANDEM_PORT?"),
    ]);
    expect(problemsOf({ TANDEM_LIMITS_DEPTH: "8" })[0]).toContain("did you mean TANDEM_LIMIT_DEPTH?");
    expect(problemsOf({ TANDEM_COLOUR_OF_THE_SEA: "1" })[0]).toContain("take it out");
  });

  it("tells every problem at once", () => {
    expect(problemsOf({ TANDEM_PORT: "x", TANDEM_MODE: "y", TANDEM_Z: "z" })).toHaveLength(3);
  });

  it("refuses an event limit that fits into no frame", () => {
    expect(problemsOf({ TANDEM_LIMIT_EVENT_BYTES: "65536" })[0]).toContain(
      "must be less than TANDEM_LIMIT_FRAME_BYTES",
    );
  });

  it("refuses a short secret, and prints no part of one", () => {
    expect(problemsOf({ TANDEM_SECRET: "swordfish" })).toEqual([
      "TANDEM_SECRET: the secret has 9 bytes, and 32 is the least. Make one with: openssl rand -base64 48",
    ]);
    expect(problemsOf({ TANDEM_SECRET: `swordfish\n${SECRET}` }).join()).not.toContain("swordfish");
  });

  it("refuses a secret file that is missing, short, or beside a secret", () => {
    const file = join(folder, "short");
    writeFileSync(file, "short");
    expect(problemsOf({ TANDEM_SECRET_FILE: file })[0]).toContain("TANDEM_SECRET_FILE: the secret has 5 bytes");
    expect(problemsOf({ TANDEM_SECRET_FILE: join(folder, "none") })[0]).toContain("cannot be read (ENOENT)");
    expect(problemsOf({ TANDEM_SECRET: SECRET, TANDEM_SECRET_FILE: file })[0]).toContain("keep one");
  });

  it("G10: production without a secret or a key set refuses to start", () => {
    expect(problemsOf({ TANDEM_MODE: "production" })).toEqual([
      expect.stringContaining("set TANDEM_SECRET, TANDEM_SECRET_FILE or TANDEM_JWKS"),
    ]);
  });

  it("G10: production with a key set needs issuer and audience", () => {
    const problems = problemsOf({ TANDEM_MODE: "production", TANDEM_JWKS: "https://keys.test/" });
    expect(problems).toHaveLength(2);
    expect(problems.join()).toMatch(/TANDEM_ISSUER.*TANDEM_AUDIENCE/s);
  });
});

describe("docs/configuration.md", () => {
  it("is what the table of settings makes (node scripts/configuration-docs.ts)", () => {
    const docs = fileURLToPath(new URL("../../../../docs/configuration.md", import.meta.url));
    expect(readFileSync(docs, "utf8")).toBe(configurationDocs());
  });

  it("names each setting once", () => {
    for (const { name } of ALL_SETTINGS) expect(configurationDocs().split(`| \`${name}\` |`)).toHaveLength(2);
  });
});

describe("the secret of a development server", () => {
  it("is made once, for its owner's eyes only", () => {
    const data = join(folder, "data");
    const secret = developmentSecret(data);
    expect(Buffer.byteLength(secret)).toBeGreaterThanOrEqual(32);
    expect(developmentSecret(data)).toBe(secret);
    expect(statSync(join(data, DEVELOPMENT_SECRET)).mode & 0o777).toBe(0o600);
  });
});
