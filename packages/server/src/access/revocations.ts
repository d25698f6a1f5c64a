import * as v from "valibot";
import type { Identity } from "./authenticator.ts";
import { CLOCK_SKEW, TenantSchema } from "./claims.ts";

const TimeSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const NameSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(255));

/** What is taken back. Times are milliseconds since 1970. */
export const RevocationSchema = v.variant("kind", [
  /** One token, by its id (`jti`), remembered until `until`: the end of its life. */
  v.strictObject({ kind: v.literal("token"), id: NameSchema, until: TimeSchema }),
  /** Every token of a user that was made up to `before`; of a guest, the guest, for as long as revocations are kept (the longest life of a token). */
  v.strictObject({ kind: v.literal("user"), tenant: TenantSchema, user: NameSchema, before: TimeSchema }),
  /** Every token of a tenant that was made up to `before`; its guests have to come anew. */
  v.strictObject({ kind: v.literal("tenant"), tenant: TenantSchema, before: TimeSchema }),
  /** Nothing is taken back for good: the rights of a user, of a tenant or of everybody are asked for anew. */
  v.strictObject({ kind: v.literal("rights"), tenant: v.optional(TenantSchema), user: v.optional(NameSchema) }),
]);

export type Revocation = v.InferOutput<typeof RevocationSchema>;

/** How an identity is refused: for certain, or because its second is the revocation's own. */
export type RevocationRefusal = "token-revoked" | "token-expired";

/**
 * What has been revoked, as far as it can still matter: a token that outlived its revocation's memory is refused as
 * expired anyway.
 *
 * Tokens tell the second in which they were made, no more. A user's or tenant's token from the very second of the
 * revocation may have been made before it or after it: it is refused, so that no revoked token ever passes. So a token
 * fetched right after a revocation may be refused once; `refusalOf` tells the two cases apart.
 */
export class Revocations {
  readonly #lifetime: number;
  /** By token id: until when. */
  readonly #tokens = new Map<string, number>();
  /** By `tenant/user`: made up to when. */
  readonly #users = new Map<string, number>();
  /** By tenant: made up to when. */
  readonly #tenants = new Map<string, number>();

  /** @param lifetime the longest life of a token, in milliseconds */
  constructor(lifetime: number) {
    this.#lifetime = lifetime;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#tokens.size + this.#users.size + this.#tenants.size;
  }

  /** Takes one in; in any order, any number of times. @returns false when nothing is new by it */
  apply(revocation: Revocation): boolean {
    switch (revocation.kind) {
      case "token":
        return raise(this.#tokens, revocation.id, revocation.until);
      case "user":
        return raise(this.#users, userKey(revocation), revocation.before);
      case "tenant":
        return raise(this.#tenants, revocation.tenant, revocation.before);
      case "rights":
        return true;
    }
  }

  isRevoked(identity: Identity): boolean {
    return this.refusalOf(identity) !== undefined;
  }

  /**
   * The code with which an identity is refused, if it is: `token-revoked`, or `token-expired` where only the second is
   * the same. That one asks the client to come back with a fresh token, which a revoked user is not given.
   */
  refusalOf(identity: Identity): RevocationRefusal | undefined {
    if (identity.token !== undefined && this.#tokens.has(identity.token)) return "token-revoked";
    const user = this.#users.get(userKey(identity));
    // A guest has no token to be made anew: the same secret would be back at once.
    if (user !== undefined && identity.guest) return "token-revoked";
    const before = Math.max(user ?? -1, this.#tenants.get(identity.tenant) ?? -1);
    if (before < 0) return undefined;
    if (identity.guest) return identity.issued <= before ? "token-revoked" : undefined;
    if (identity.issued > Math.ceil(before / 1000) * 1000) return undefined;
    return identity.issued <= before - 1000 ? "token-revoked" : "token-expired";
  }

  /** Forgets what no living token can be refused by. `now`: the server's clock in milliseconds. */
  forget(now: number): void {
    drop(this.#tokens, now - 2 * CLOCK_SKEW);
    drop(this.#users, now - this.#lifetime - 2 * CLOCK_SKEW);
    drop(this.#tenants, now - this.#lifetime - 2 * CLOCK_SKEW);
  }
}

/** No tenant holds a slash, so that two users never have one key. */
function userKey({ tenant, user }: { readonly tenant: string; readonly user: string }): string {
  return `${tenant}/${user}`;
}

function raise(times: Map<string, number>, key: string, time: number): boolean {
  const known = times.get(key);
  if (known !== undefined && known >= time) return false;
  times.set(key, time);
  return true;
}

function drop(times: Map<string, number>, over: number): void {
  for (const [key, time] of times) if (time < over) times.delete(key);
}
