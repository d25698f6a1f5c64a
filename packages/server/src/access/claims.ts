import * as v from "valibot";
import type { Identity } from "./authenticator.ts";
import { displayName } from "./display-name.ts";
import { GrantsSchema } from "./grants.ts";

/** Milliseconds by which an issuer's clock may differ from ours. */
export const CLOCK_SKEW = 30_000;
/** Default for the longest life of a token, in milliseconds. */
export const MAX_TOKEN_LIFETIME = 30 * 86_400_000;

/** The name of a tenant. No slash, so that a tenant's name ends where it ends in every key made with it. */
export const TenantSchema = v.pipe(
  v.string("is a text"),
  v.regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "is small letters, digits and - (63 at most)"),
);

/** Seconds since 1970, as JWT writes time. Within what milliseconds can be counted in exactly. */
const SecondsSchema = v.pipe(
  v.number("is a number of seconds"),
  v.finite("is a number of seconds"),
  v.minValue(0, "is a number of seconds since 1970"),
  v.maxValue(1e11, "is a number of seconds since 1970"),
);

/** The claims of a token that mean something here. Others are let be. */
const ClaimsSchema = v.object(
  {
    sub: v.pipe(
      v.string("names the user"),
      v.minLength(1, "names the user"),
      v.maxLength(255, "is 255 letters at most"),
      v.check((user) => user.isWellFormed() && !/\p{Cc}/u.test(user), "holds no control characters"),
      v.check((user) => !user.startsWith("guest~"), "does not begin with guest~"),
    ),
    name: v.optional(v.pipe(v.string("is a text"), v.maxLength(200, "is 200 letters at most"))),
    tenant: v.optional(TenantSchema, "default"),
    grants: v.optional(GrantsSchema, {}),
    exp: SecondsSchema,
    iat: v.optional(SecondsSchema),
    jti: v.optional(
      v.pipe(v.string("is a text"), v.minLength(1, "is not empty"), v.maxLength(255, "is 255 letters at most")),
    ),
  },
  "is missing",
);

export type Claims = v.InferInput<typeof ClaimsSchema>;

export type ClaimsJudgement =
  | { readonly kind: "accepted"; readonly identity: Identity }
  /** The only fault is that its time is over. */
  | { readonly kind: "expired" }
  /** `fault` names the claim and the rule, never the value. */
  | { readonly kind: "invalid"; readonly fault: string };

/**
 * Judges the claims of a token whose signature, issuer and audience were found right.
 *
 * - A token is accepted up to the skew after its `exp`; one that was accepted earlier ends at its `exp`.
 * - Neither what is left of its life nor the whole of it may be over `lifetime`: then every revocation can be
 *   forgotten after that time.
 * - Without `iat` it counts as made at the earliest moment that it can have been.
 *
 * @param now the server's clock, in milliseconds
 * @param lifetime longest life of a token, in milliseconds
 */
export function judgeClaims(payload: unknown, now: number, lifetime: number): ClaimsJudgement {
  const parsed = v.safeParse(ClaimsSchema, payload, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const claim = issue.path?.[0]?.key;
    return {
      kind: "invalid",
      fault: typeof claim === "string" ? `its claim ${claim} ${issue.message}` : "it has no claims",
    };
  }
  const { sub, name, tenant, grants, exp, iat, jti } = parsed.output;
  const expires = exp * 1000;
  const issued = iat === undefined ? expires - lifetime : iat * 1000;
  if (issued > now + CLOCK_SKEW) return { kind: "invalid", fault: "its claim iat lies in the future" };
  if (expires - issued > lifetime || expires - now > lifetime + CLOCK_SKEW) {
    return { kind: "invalid", fault: `its life is longer than ${lifetime / 1000} seconds` };
  }
  if (expires <= now - CLOCK_SKEW) return { kind: "expired" };
  return {
    kind: "accepted",
    identity: {
      tenant,
      user: sub,
      name: displayName(name),
      guest: false,
      grants,
      expires: expires > now ? expires : expires + CLOCK_SKEW,
      // Made by a clock that is ahead of ours: still not later than now.
      issued: Math.min(issued, now),
      token: jti,
    },
  };
}
