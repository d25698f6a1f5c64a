import { randomUUID } from "node:crypto";
import type { Grants } from "@tandem/app";
import { SignJWT } from "jose";
import type { Claims } from "./claims.ts";
import { judgeClaims, MAX_TOKEN_LIFETIME } from "./claims.ts";
import { secretBytes } from "./jwt-secret.ts";

export interface MintToken {
  /** 32 bytes at least; a text counts in UTF-8. */
  readonly secret: string | Uint8Array;
  readonly user: string;
  readonly name?: string | undefined;
  /** Default `default`. */
  readonly tenant?: string | undefined;
  /** Default: none. */
  readonly grants?: Grants | undefined;
  readonly issuer?: string | undefined;
  readonly audience?: string | undefined;
  /** Milliseconds from now to its end, counted in whole seconds. Default one hour, at most 30 days. */
  readonly lifetime?: number | undefined;
  /** The longest life that the server admits (`maxTokenSeconds`), in milliseconds. Default 30 days. */
  readonly maxLifetime?: number | undefined;
  /** Its own id, by which it can be revoked. Default: a random one. */
  readonly id?: string | undefined;
  /** Milliseconds since 1970. Default: the present time. */
  readonly now?: number | undefined;
}

/**
 * Makes a token signed with HS256, for development, tests and applications that share the secret.
 *
 * @throws RangeError when a server would not accept it, naming the claim
 */
export async function mintToken(options: MintToken): Promise<string> {
  const { user, name, tenant, grants, issuer, audience, lifetime = 3_600_000, id = randomUUID() } = options;
  const secret = secretBytes(options.secret);
  const now = options.now ?? Date.now();
  const iat = Math.floor(now / 1000);
  const given = { name, tenant, grants, iss: issuer, aud: audience };
  const claims: Claims = {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    sub: user,
    iat,
    exp: iat + Math.floor(lifetime / 1000),
    jti: id,
  };
  const judgement = judgeClaims(claims, now, options.maxLifetime ?? MAX_TOKEN_LIFETIME);
  if (judgement.kind === "invalid") throw new RangeError(`No server would accept this token: ${judgement.fault}.`);
  return new SignJWT(claims).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(secret);
}
