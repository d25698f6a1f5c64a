import { createHash } from "node:crypto";
import type { Guests } from "@tandem/app";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { JWSHeaderParameters } from "jose";
import { errors, jwtVerify } from "jose";
import type { Authenticator, Identity } from "./authenticator.ts";
import { CLOCK_SKEW, judgeClaims, MAX_TOKEN_LIFETIME } from "./claims.ts";
import { createGuests } from "./guests.ts";
import { createJwks } from "./jwks.ts";
import { jwksFile, jwksUrl } from "./jwks-source.ts";
import { secretBytes } from "./jwt-secret.ts";

/** Most letters of a token, of its header and of its payload, as they are sent. */
const MAX_TOKEN = 8_192;
const MAX_HEADER = 1_024;
const MAX_PAYLOAD = 7_168;

/** The algorithms of public keys. A secret's is HS256: no header can make a secret of a public key, or the reverse. */
const PUBLIC_KEY_ALGORITHMS = ["RS256", "ES256", "EdDSA"];
/** Header fields that bring or name a key of the sender's own choice, and those that demand what we do not know. */
const FORBIDDEN_HEADERS = ["jku", "jwk", "x5u", "x5c", "crit"] as const;

export interface JwtAuthenticatorOptions {
  readonly runtime: Runtime;
  /** For tokens signed with HS256: 32 bytes at least; a text counts in UTF-8. */
  readonly secret?: string | Uint8Array | undefined;
  /** For tokens signed with RS256, ES256 or EdDSA: where the public keys are. */
  readonly jwks?: { readonly url: string } | { readonly file: string } | undefined;
  /** Tokens must be from it. Default: from anyone who has the key. */
  readonly issuer?: string | undefined;
  /** Tokens must be for it. Default: whatever they are for. */
  readonly audience?: string | undefined;
  /** Longest life of a token in milliseconds. Default 30 days. */
  readonly maxLifetime?: number | undefined;
  /** Who comes without a token: `app.guests`. Default: nobody. */
  readonly guests?: Guests | undefined;
}

/**
 * Tells who someone is by a JSON Web Token, and admits guests where the application does. Claims: `sub` (the user),
 * `exp`, and where wanted `name`, `tenant` (default `default`), `grants`, `iat`, `nbf`, `jti`. Clocks may differ by 30
 * seconds. No error and no log line holds any part of a token.
 *
 * @throws RangeError on a secret that is too short, an address that may not be, or when nobody at all could come in
 */
export function createJwtAuthenticator(options: JwtAuthenticatorOptions): Authenticator {
  const { runtime, issuer, audience, maxLifetime = MAX_TOKEN_LIFETIME } = options;
  const secret = options.secret === undefined ? undefined : secretBytes(options.secret);
  const jwks = options.jwks && createJwks(sourceOf(options.jwks, runtime), runtime);
  const guests = options.guests && createGuests(options.guests, sha256);
  if (!secret && !jwks && !guests) {
    throw new RangeError("Nobody could come in: give a secret or a key set (JWKS), or let the app admit guests.");
  }
  const algorithms = [...(secret ? ["HS256"] : []), ...(jwks ? PUBLIC_KEY_ALGORITHMS : [])];

  async function keyOf(header: JWSHeaderParameters) {
    if (header.alg === "HS256" && secret) return secret;
    if (!jwks) throw invalid("its algorithm is not one this server accepts");
    return jwks.keyFor(header);
  }

  async function fromToken(token: string): Promise<Identity> {
    inspect(token, algorithms);
    const now = runtime.now();
    const payload = await verify(token, now);
    const judgement = judgeClaims(payload, now, maxLifetime);
    switch (judgement.kind) {
      case "accepted":
        return judgement.identity;
      case "expired":
        throw errorOf("token-expired");
      case "invalid":
        throw invalid(judgement.fault);
    }
  }

  /** @returns the claims of a token whose signature, issuer and audience are right, and whose time has begun */
  async function verify(token: string, now: number): Promise<unknown> {
    try {
      const verified = await jwtVerify(token, keyOf, {
        algorithms,
        currentDate: new Date(now),
        clockTolerance: CLOCK_SKEW / 1000,
        ...(issuer === undefined ? {} : { issuer }),
        ...(audience === undefined ? {} : { audience }),
      });
      return verified.payload;
    } catch (error) {
      if (error instanceof TandemError) throw error;
      // Everything before it was found right, and what comes after is judged with the claims.
      if (error instanceof errors.JWTExpired) return error.payload;
      if (error instanceof errors.JWTClaimValidationFailed)
        throw invalid(`its claim ${error.claim} is missing or wrong`);
      if (error instanceof errors.JOSEError) throw invalid("its signature or its form is wrong");
      const kind = error instanceof Error ? error.name : typeof error;
      runtime.logger.debug({ kind }, "a token could not be checked");
      throw invalid("it cannot be checked");
    }
  }

  return {
    async authenticate({ token, guest }) {
      if ((token === undefined) === (guest === undefined)) {
        throw new TandemError("bad-message", "Bring exactly one of token and guest.");
      }
      if (token !== undefined) return fromToken(token);
      if (!guest || !guests) throw errorOf("guests-not-admitted");
      return guests(guest.secret, guest.name, runtime.now());
    },
  };
}

function sourceOf(jwks: { readonly url: string } | { readonly file: string }, runtime: Runtime) {
  return "url" in jwks ? jwksUrl(jwks.url, runtime) : jwksFile(jwks.file);
}

/** SHA-256 of a text, as base64url. */
export function sha256(text: string): string {
  return createHash("sha256").update(text, "utf8").digest("base64url");
}

function invalid(fault: string): TandemError {
  return new TandemError("token-invalid", `The token is not one this server accepts: ${fault}.`);
}

/** Looks at a token's outside before any key is looked for or any signature computed. */
function inspect(token: string, algorithms: readonly string[]): void {
  // Decoders let spaces and line ends through: one token has one spelling here.
  const parts = token.length <= MAX_TOKEN && /^([\w-]+)\.([\w-]+)\.[\w-]+$/.exec(token);
  if (!parts) throw invalid("it is not a signed JSON Web Token of a fair length");
  const [, header = "", payload = ""] = parts;
  if (header.length > MAX_HEADER) throw invalid("its header is too long");
  if (payload.length > MAX_PAYLOAD) throw invalid("its payload is too long");
  const fields = parseHeader(header);
  for (const field of FORBIDDEN_HEADERS) {
    if (Object.hasOwn(fields, field)) throw invalid(`its header may not hold ${field}`);
  }
  const { alg, kid } = fields;
  if (typeof alg !== "string" || !algorithms.includes(alg))
    throw invalid("its algorithm is not one this server accepts");
  if (kid !== undefined && (typeof kid !== "string" || kid.length > 256)) throw invalid("its header's kid is wrong");
}

function parseHeader(encoded: string): { readonly alg?: unknown; readonly kid?: unknown } {
  let header: unknown;
  try {
    header = JSON.parse(Buffer.from(encoded, "base64url").toString("utf8"));
  } catch {
    // The parser's message would quote the token.
    throw invalid("its header is not JSON");
  }
  if (typeof header !== "object" || header === null || Array.isArray(header))
    throw invalid("its header is not an object");
  return header;
}
