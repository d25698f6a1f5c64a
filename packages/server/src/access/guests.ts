import type { Guests } from "@tandem/app";
import * as v from "valibot";
import type { Identity } from "./authenticator.ts";
import { TenantSchema } from "./claims.ts";
import { displayName } from "./display-name.ts";
import { GrantsSchema } from "./grants.ts";

/** Letters of the secret's hash in a guest's user: 132 bits. */
const HASH_LETTERS = 22;

const GuestsSchema = v.object({ grants: GrantsSchema, tenant: v.optional(TenantSchema, "default") });

/**
 * Makes the identities of guests: people without an account.
 *
 * @param sha256 SHA-256 of a text, as base64url
 * @returns for a guest's secret, name and the present time its identity: the same secret is the same user
 * @throws RangeError when the definition names a tenant, a pattern or a right that cannot be
 */
export function createGuests(
  definition: Guests,
  sha256: (text: string) => string,
): (secret: string, name: string | undefined, now: number) => Identity {
  const parsed = v.safeParse(GuestsSchema, definition, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw new RangeError(`The guests of this app: ${v.getDotPath(issue) ?? "guests"} ${issue.message}.`);
  }
  const { tenant, grants } = parsed.output;
  return (secret, name, now) => ({
    tenant,
    user: `guest~${sha256(secret).slice(0, HASH_LETTERS)}`,
    name: displayName(name),
    guest: true,
    grants,
    expires: undefined,
    issued: now,
    token: undefined,
  });
}
