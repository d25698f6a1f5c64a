import { createHmac } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ErrorCode } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { systemRuntime } from "@tandem/runtime";
import type { CryptoKey, JWTHeaderParameters } from "jose";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { Authenticator, Credentials } from "./authenticator.ts";
import { createJwtAuthenticator } from "./jwt.ts";

const SECRET = "a secret of thirty-two bytes or more";
const NOW = 1_800_000_000_000;
const SECONDS = NOW / 1000;
const GUEST = "abcdefghijklmnopqrstuvwxyz";

const claims = { sub: "ada", iat: SECONDS - 10, exp: SECONDS + 600, iss: "https://login.example", aud: "tandem" };

const log = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
const runtime: Runtime = { ...systemRuntime(log), now: () => NOW };

const encode = (value: unknown) =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A token signed with HMAC-SHA-256 by hand: whatever stands in its header. */
function forge(header: unknown, payload: unknown = claims, key: string | Buffer = SECRET): string {
  const signed = `${encode(header)}.${encode(payload)}`;
  return `${signed}.${createHmac("sha256", key).update(signed).digest("base64url")}`;
}
const minted = (payload: object) => forge({ alg: "HS256" }, { ...claims, ...payload });

async function refusal(authenticator: Authenticator, credentials: Credentials): Promise<TandemError> {
  try {
    await authenticator.authenticate(credentials);
  } catch (error) {
    if (error instanceof TandemError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

async function expectRefused(
  authenticator: Authenticator,
  token: string,
  code: ErrorCode = "token-invalid",
): Promise<void> {
  const error = await refusal(authenticator, { token });
  expect(error.code).toBe(code);
  const told = `${error.message} ${JSON.stringify(error)} ${String(error.cause)} ${JSON.stringify(Object.values(log).flatMap((level) => level.mock.calls))}`;
  for (const part of token.split(".")) if (part.length > 8) expect(told).not.toContain(part);
  expect(told).not.toContain("login.example");
}

describe("tokens signed with a secret", () => {
  const options = { runtime, secret: SECRET, issuer: "https://login.example", audience: "tandem" };
  const authenticator = createJwtAuthenticator(options);

  it("tell who someone is", async () => {
    const grants = { "room:*": ["read", "publish"] };
    const token = minted({ name: "Ada", tenant: "acme", grants, jti: "t1" });
    expect(await authenticator.authenticate({ token })).toEqual({
      tenant: "acme",
      user: "ada",
      name: "Ada",
      guest: false,
      grants,
      expires: (SECONDS + 600) * 1000,
      issued: (SECONDS - 10) * 1000,
      token: "t1",
    });
    expect(await authenticator.authenticate({ token: minted({ aud: ["other", "tandem"] }) })).toMatchObject({
      user: "ada",
    });
  });

  it.each(["none", "None", "NONE", "nOnE", "", " none", "none\u0000", null, 0, ["none"], {}])(
    "G10: alg %j is refused, with a signature and without",
    async (alg) => {
      const signed = forge({ alg });
      await expectRefused(authenticator, signed);
      await expectRefused(authenticator, signed.slice(0, signed.lastIndexOf(".") + 1));
      await expectRefused(authenticator, signed.slice(0, signed.lastIndexOf(".")));
    },
  );

  it("G10: a header without alg is refused", () => expectRefused(authenticator, forge({ typ: "JWT" })));

  it.each(["HS384", "HS512", "hs256", "RS256", "ES256", "EdDSA", "PS256", "dir"])(
    "G10: alg %s does not fit a secret",
    (alg) => expectRefused(authenticator, forge({ alg })),
  );

  it.each([
    ["jku", { jku: "https://evil.example/keys" }],
    ["x5u", { x5u: "https://evil.example/cert" }],
    ["x5c", { x5c: ["MIIB"] }],
    ["an embedded key", { jwk: { kty: "oct", k: encode(SECRET) } }],
    ["an unknown crit", { crit: ["exp2"], exp2: 1 }],
    ["a crit that the library knows", { crit: ["b64"], b64: true }],
    ["an empty crit", { crit: [] }],
    ["a kid that is a list", { kid: ["a"] }],
    ["a long kid", { kid: "x".repeat(257) }],
  ])("G10: a header with %s is refused", (_, header) =>
    expectRefused(authenticator, forge({ alg: "HS256", ...header })),
  );

  it("a kid that leads to a file or into a statement is only a name", async () => {
    for (const kid of ["../../../../dev/null", "' OR 1=1 --"]) {
      await expectRefused(authenticator, forge({ alg: "HS256", kid }, claims, ""));
    }
  });

  it.each([
    ["another secret", () => forge({ alg: "HS256" }, claims, "another secret of thirty-two bytes!!")],
    ["an empty secret", () => forge({ alg: "HS256" }, claims, "")],
    ["a changed payload", () => minted({}).replace(/\.[^.]+\./, `.${encode({ ...claims, sub: "eve" })}.`)],
    ["no payload", () => forge({ alg: "HS256" }, "")],
    ["a payload that is no JSON", () => forge({ alg: "HS256" }, "{")],
    ["a payload that is a list", () => forge({ alg: "HS256" }, [claims])],
    ["a payload that is null", () => forge({ alg: "HS256" }, "null")],
    ["a header that is no JSON", () => forge("{alg")],
    ["a header that is null", () => forge("null")],
    ["a header that is a list", () => forge([{ alg: "HS256" }])],
    ["five parts", () => `${minted({})}.a.b`],
    ["four parts", () => `${minted({})}.`],
    ["one part", () => "token"],
    ["nothing at all", () => ""],
    ["dots only", () => ".."],
    ["a line's end behind it", () => `${minted({})}\n`],
    ["a long header", () => forge({ alg: "HS256", pad: "x".repeat(1024) })],
    ["a long payload", () => minted({ pad: "x".repeat(6000) })],
    ["a megabyte", () => minted({ pad: "x".repeat(1_000_000) })],
  ])("G10: a token with %s is refused", (_, make) => expectRefused(authenticator, make()));

  it.each([
    ["another audience", { aud: "other" }],
    ["other audiences", { aud: ["other", "another"] }],
    ["no audience", { aud: undefined }],
    ["an audience that is an object", { aud: { tandem: true } }],
    ["another issuer", { iss: "https://login.example.evil" }],
    ["an issuer that is a list", { iss: ["https://login.example"] }],
    ["no issuer", { iss: undefined }],
    ["another tenant's spelling", { tenant: "ACME" }],
    ["a tenant with a path", { tenant: "acme/../other" }],
    ["no expiry", { exp: undefined }],
    ["an expiry that is a text", { exp: `${SECONDS + 600}` }],
    ["a far expiry", { exp: SECONDS + 31 * 86_400 }],
    ["a far expiry, counted from its making", { iat: SECONDS - 29 * 86_400, exp: SECONDS + 2 * 86_400 }],
    ["a making over 30 s ahead", { iat: SECONDS + 31 }],
    ["a beginning over 30 s ahead", { nbf: SECONDS + 31 }],
    ["a beginning that is a text", { nbf: "0" }],
    ["a guest's user", { sub: "guest~abcdefghijklmnopqrstuv" }],
    ["no user", { sub: undefined }],
    ["a control character in the user", { sub: "ada\u0000" }],
    ["a pattern that cannot be", { grants: { "room*": ["read"] } }],
    ["a right that does not exist", { grants: { "room:*": ["root"] } }],
    ["too many grants", { grants: Object.fromEntries(Array.from({ length: 257 }, (_, n) => [`r:${n}`, []])) }],
  ])("G10: a token with %s is refused", (_, payload) => expectRefused(authenticator, minted(payload)));

  it("G10: clocks may differ by 30 s", async () => {
    await authenticator.authenticate({ token: minted({ iat: SECONDS + 30, nbf: SECONDS + 30 }) });
    await authenticator.authenticate({ token: minted({ exp: SECONDS - 29 }) });
    await expectRefused(authenticator, minted({ exp: SECONDS - 30 }), "token-expired");
  });

  it("G10: only a token whose one fault is its expiry is told so", async () => {
    const over = { exp: SECONDS - 60 };
    await expectRefused(authenticator, minted(over), "token-expired");
    await expectRefused(authenticator, minted({ ...over, aud: "other" }));
    await expectRefused(authenticator, minted({ ...over, iss: "other" }));
    await expectRefused(authenticator, minted({ ...over, sub: "guest~x" }));
    await expectRefused(authenticator, minted({ ...over, grants: 1 }));
    await expectRefused(authenticator, minted({ ...over, iat: SECONDS - 40 * 86_400 }));
    await expectRefused(
      authenticator,
      forge({ alg: "HS256" }, { ...claims, ...over }, "another secret of thirty-two bytes!!"),
    );
  });

  it("may be from anyone and for anyone where nothing is configured", async () => {
    const open = createJwtAuthenticator({ runtime, secret: Buffer.from(SECRET) });
    expect(await open.authenticate({ token: minted({ iss: undefined, aud: undefined }) })).toMatchObject({
      user: "ada",
    });
  });

  it("a longest life may be configured", async () => {
    const short = createJwtAuthenticator({ ...options, maxLifetime: 300_000 });
    await expectRefused(short, minted({}));
    await short.authenticate({ token: minted({ exp: SECONDS + 290 }) });
  });

  it("a short secret does not start, and the error says how to make one", () => {
    expect(() => createJwtAuthenticator({ runtime, secret: "short" })).toThrow(/5 bytes.*openssl rand/);
    expect(() => createJwtAuthenticator({ runtime, secret: "x".repeat(31) })).toThrow(RangeError);
    expect(() => createJwtAuthenticator({ runtime, secret: "é".repeat(16) })).not.toThrow();
  });

  it("without any way in it does not start", () => {
    expect(() => createJwtAuthenticator({ runtime })).toThrow(RangeError);
  });
});

describe("tokens signed with a public key's counterpart", () => {
  const keys = new Map<string, CryptoKey>();
  let folder: string;
  let authenticator: Authenticator;
  let publicPem: string;

  const sign = (alg: string, header: Partial<JWTHeaderParameters> = {}, payload: object = claims) => {
    const key = keys.get(alg);
    if (!key) throw new Error(`no key for ${alg}`);
    return new SignJWT({ ...payload }).setProtectedHeader({ alg, kid: alg, ...header }).sign(key);
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tandem-keys-"));
    const set = [];
    for (const alg of ["RS256", "ES256", "EdDSA", "PS256"]) {
      const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
      keys.set(alg, privateKey);
      set.push({ ...(await exportJWK(publicKey)), kid: alg });
      if (alg === "RS256") publicPem = await exportSPKI(publicKey);
    }
    set.push({ kty: "oct", kid: "oct", k: encode(SECRET) });
    const file = join(folder, "keys.json");
    await writeFile(file, JSON.stringify({ keys: set }));
    authenticator = createJwtAuthenticator({ runtime, jwks: { file } });
  });
  afterAll(() => rm(folder, { recursive: true }));

  it.each(["RS256", "ES256", "EdDSA"])("%s tells who someone is", async (alg) => {
    expect(await authenticator.authenticate({ token: await sign(alg) })).toMatchObject({ user: "ada" });
  });

  it("a kid is needed where more than one key fits, and only there", async () => {
    expect(await authenticator.authenticate({ token: await sign("ES256", { kid: undefined }) })).toMatchObject({
      user: "ada",
    });
    await expectRefused(authenticator, await sign("RS256", { kid: undefined }));
  });

  it("G10: RS256 made into HS256 with the public key as the secret is refused, whether a secret is configured or not", async () => {
    const both = createJwtAuthenticator({ runtime, secret: SECRET, jwks: { file: join(folder, "keys.json") } });
    for (const key of [publicPem, publicPem.trimEnd(), publicPem.replace(/\n/g, "")]) {
      for (const kid of ["RS256", undefined]) {
        await expectRefused(authenticator, forge({ alg: "HS256", kid }, claims, key));
        await expectRefused(both, forge({ alg: "HS256", kid }, claims, key));
      }
    }
    expect(await both.authenticate({ token: forge({ alg: "HS256", kid: "RS256" }) })).toMatchObject({ user: "ada" });
    expect(await both.authenticate({ token: await sign("RS256") })).toMatchObject({ user: "ada" });
  });

  it("G10: a symmetric key in the key set is no key", () =>
    expectRefused(authenticator, forge({ alg: "HS256", kid: "oct" })));

  it("G10: an algorithm that was not chosen is refused though its key is there", async () => {
    await expectRefused(authenticator, await sign("PS256"));
  });

  it("G10: another key under a known name is refused, embedded or not", async () => {
    const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
    const token = (header: object) =>
      new SignJWT({ ...claims }).setProtectedHeader({ alg: "ES256", kid: "ES256", ...header }).sign(privateKey);
    await expectRefused(authenticator, await token({}));
    await expectRefused(authenticator, await token({ jwk: await exportJWK(publicKey) }));
  });

  it("G10: a signature of no bytes, of zeros, or of another token is refused", async () => {
    for (const alg of ["RS256", "ES256", "EdDSA"]) {
      const [header, payload] = (await sign(alg)).split(".");
      const [, , other] = (await sign(alg, {}, { ...claims, sub: "bob" })).split(".");
      for (const signature of ["", Buffer.alloc(64).toString("base64url"), other]) {
        await expectRefused(authenticator, `${header}.${payload}.${signature}`);
      }
    }
  });
});

describe("guests", () => {
  const admitting = createJwtAuthenticator({
    runtime,
    secret: SECRET,
    guests: { grants: { "room:lobby": ["read"] }, tenant: "acme" },
  });
  const strict = createJwtAuthenticator({ runtime, secret: SECRET });

  it("are the same user for the same secret, and another for another", async () => {
    const guest = await admitting.authenticate({ guest: { secret: GUEST, name: "Bo\u0000b" } });
    expect(guest).toMatchObject({
      tenant: "acme",
      name: "Bob",
      guest: true,
      grants: { "room:lobby": ["read"] },
      issued: NOW,
    });
    expect(guest.user).toBe("guest~ccSA35PWri8e-tFEfGbJUl");
    expect((await admitting.authenticate({ guest: { secret: GUEST } })).user).toBe(guest.user);
    expect((await admitting.authenticate({ guest: { secret: `${GUEST}a` } })).user).not.toBe(guest.user);
  });

  it("are refused where the application admits none", async () => {
    expect((await refusal(strict, { guest: { secret: GUEST } })).code).toBe("guests-not-admitted");
  });

  it("exactly one of token and guest is to be brought", async () => {
    const token = minted({});
    for (const both of [admitting, strict]) {
      expect((await refusal(both, { token, guest: { secret: GUEST } })).code).toBe("bad-message");
      expect((await refusal(both, {})).code).toBe("bad-message");
    }
  });

  it("an application of guests only refuses every token", async () => {
    const only = createJwtAuthenticator({ runtime, guests: { grants: {} } });
    await expectRefused(only, minted({}));
    expect((await only.authenticate({ guest: { secret: GUEST } })).guest).toBe(true);
  });
});
