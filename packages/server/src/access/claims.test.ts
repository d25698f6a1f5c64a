import { describe, expect, it } from "vitest";
import type { ClaimsJudgement } from "./claims.ts";
import { judgeClaims } from "./claims.ts";

const NOW = 1_800_000_000_500;
const SECONDS = 1_800_000_000;
const DAY = 86_400_000;

function judge(claims: object, lifetime = 30 * DAY): ClaimsJudgement {
  return judgeClaims({ sub: "ada", exp: SECONDS + 60, ...claims }, NOW, lifetime);
}
const identityOf = (claims: object) => {
  const judged = judge(claims);
  if (judged.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(judged)}`);
  return judged.identity;
};

describe("claims", () => {
  it("make an identity", () => {
    const grants = { "room:*": ["read"] };
    expect(identityOf({ name: " Ada ", tenant: "acme", grants, iat: SECONDS - 5, jti: "t1", other: 1 })).toEqual({
      tenant: "acme",
      user: "ada",
      name: "Ada",
      guest: false,
      grants,
      expires: (SECONDS + 60) * 1000,
      issued: (SECONDS - 5) * 1000,
      token: "t1",
    });
    expect(identityOf({})).toMatchObject({ tenant: "default", name: undefined, grants: {}, token: undefined });
  });

  it.each([
    ["no user", { sub: undefined }, "sub"],
    ["an empty user", { sub: "" }, "sub"],
    ["a user that is a number", { sub: 5 }, "sub"],
    ["a long user", { sub: "x".repeat(256) }, "sub"],
    ["a control character", { sub: "a\u0000b" }, "sub"],
    ["another control character", { sub: "a\u0085b" }, "sub"],
    ["half of a surrogate pair", { sub: "a\ud800" }, "sub"],
    ["a guest's name", { sub: "guest~abc" }, "sub"],
    ["a foreign tenant's form", { tenant: "Acme" }, "tenant"],
    ["a tenant with a slash", { tenant: "acme/room" }, "tenant"],
    ["the system's tenant", { tenant: "$tandem" }, "tenant"],
    ["a tenant with a line's end", { tenant: "acme\n" }, "tenant"],
    ["an empty tenant", { tenant: "" }, "tenant"],
    ["a long tenant", { tenant: "a".repeat(64) }, "tenant"],
    ["a long name", { name: "x".repeat(201) }, "name"],
    ["wrong grants", { grants: { "room*": ["read"] } }, "grants"],
    ["a long id", { jti: "x".repeat(256) }, "jti"],
    ["no expiry", { exp: undefined }, "exp"],
    ["an expiry that is a text", { exp: "1800000060" }, "exp"],
    ["an expiry that is no number", { exp: Number.NaN }, "exp"],
    ["an expiry without end", { exp: Number.POSITIVE_INFINITY }, "exp"],
    ["an expiry in milliseconds", { exp: NOW }, "exp"],
    ["made in the future", { iat: SECONDS + 31 }, "iat"],
  ])("G10: refused: %s", (_, claims, claim) => {
    const judged = judge(claims);
    expect(judged.kind).toBe("invalid");
    if (judged.kind === "invalid") expect(judged.fault).toContain(claim);
  });

  it("G10: a far expiry is refused, counted from now and from the making", () => {
    expect(judge({ exp: SECONDS + 30 * 86_400 }).kind).toBe("accepted");
    expect(judge({ exp: SECONDS + 30 * 86_400 + 31 }).kind).toBe("invalid");
    expect(judge({ iat: SECONDS - 29 * 86_400, exp: SECONDS + 86_400 }).kind).toBe("accepted");
    expect(judge({ iat: SECONDS - 29 * 86_400, exp: SECONDS + 86_401 }).kind).toBe("invalid");
    expect(judge({ exp: SECONDS + 3601 + 30 }, 3_600_000).kind).toBe("invalid");
  });

  it("G10: clocks may differ by 30 seconds and no more", () => {
    expect(judge({ exp: SECONDS - 29 }).kind).toBe("accepted");
    expect(judge({ exp: SECONDS - 30 }).kind).toBe("expired");
    expect(judge({ iat: SECONDS + 30 }).kind).toBe("accepted");
  });

  it("G10: a token ends at its expiry; one that came later, with the skew", () => {
    expect(identityOf({ exp: SECONDS + 1 }).expires).toBe((SECONDS + 1) * 1000);
    expect(identityOf({ exp: SECONDS - 1 }).expires).toBe((SECONDS + 29) * 1000);
  });

  it("G10: an expired token with another fault is not told that a fresh one would do", () => {
    expect(judge({ exp: SECONDS - 3600 }).kind).toBe("expired");
    expect(judge({ exp: SECONDS - 3600, tenant: "ACME" }).kind).toBe("invalid");
    expect(judge({ exp: SECONDS - 3600, iat: SECONDS - 40 * 86_400 }).kind).toBe("invalid");
  });

  it("G10: the making is never later than now, and without iat as early as can be", () => {
    expect(identityOf({ iat: SECONDS + 20 }).issued).toBe(NOW);
    expect(identityOf({}).issued).toBe((SECONDS + 60) * 1000 - 30 * DAY);
  });

  it("control and direction characters go from a name", () => {
    expect(identityOf({ name: "A\u0007d\u202ea\n\u2066" }).name).toBe("Ada");
    expect(identityOf({ name: "\u0000 \u200f" }).name).toBeUndefined();
    expect(identityOf({ name: "👩‍🚀 Zoë" }).name).toBe("👩‍🚀 Zoë");
  });

  it("a payload that is no object is refused", () => {
    for (const payload of [null, [], "x", 1, undefined]) expect(judgeClaims(payload, NOW, DAY).kind).toBe("invalid");
  });
});
