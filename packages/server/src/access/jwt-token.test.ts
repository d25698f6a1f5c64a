import { systemRuntime } from "@tandem/runtime";
import { describe, expect, it } from "vitest";
import { createJwtAuthenticator } from "./jwt.ts";
import type { MintToken } from "./jwt-token.ts";
import { mintToken } from "./jwt-token.ts";

const secret = "a secret of thirty-two bytes or more";

describe("a minted token", () => {
  it("is accepted by a server with the same secret", async () => {
    const now = Date.now();
    const token = await mintToken({
      secret,
      user: "ada",
      name: "Ada",
      tenant: "acme",
      grants: { "room:*": ["read"] },
      issuer: "me",
      audience: "tandem",
      lifetime: 60_000,
      now,
    });
    const authenticator = createJwtAuthenticator({
      runtime: systemRuntime(),
      secret,
      issuer: "me",
      audience: "tandem",
    });
    expect(await authenticator.authenticate({ token })).toMatchObject({
      tenant: "acme",
      user: "ada",
      name: "Ada",
      grants: { "room:*": ["read"] },
      expires: Math.floor(now / 1000) * 1000 + 60_000,
      issued: Math.floor(now / 1000) * 1000,
      token: expect.any(String),
    });
  });

  it("has defaults, and an id of its own", async () => {
    const authenticator = createJwtAuthenticator({ runtime: systemRuntime(), secret });
    const identities = [];
    for (let i = 0; i < 2; i++)
      identities.push(await authenticator.authenticate({ token: await mintToken({ secret, user: "ada" }) }));
    expect(identities[0]).toMatchObject({ tenant: "default", grants: {}, name: undefined });
    expect(identities[0]?.token).not.toBe(identities[1]?.token);
  });

  it.each([
    ["a guest's user", { user: "guest~x" }, /sub/],
    ["a tenant that cannot be", { tenant: "ACME" }, /tenant/],
    ["a pattern that cannot be", { grants: { "room*": ["read"] } }, /grants/],
    ["too long a life", { lifetime: 31 * 86_400_000 }, /life/],
    ["a short secret", { secret: "short" }, /openssl/],
  ] satisfies [string, Partial<MintToken>, RegExp][])("with %s is not made", async (_, options, message) => {
    await expect(mintToken({ secret, user: "ada", ...options })).rejects.toThrow(message);
  });
});
