import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { Identity } from "./authenticator.ts";
import type { Revocation } from "./revocations.ts";
import { RevocationSchema, Revocations } from "./revocations.ts";

const LIFETIME = 3_600_000;
const T = 1_800_000_000_000;

function identity(of: Partial<Identity> = {}): Identity {
  const known = { tenant: "acme", user: "ada", name: undefined, guest: false, grants: {} };
  return { ...known, expires: T + LIFETIME, issued: T, token: "t1", ...of };
}
function after(...all: Revocation[]): Revocations {
  const revocations = new Revocations(LIFETIME);
  for (const revocation of all) revocations.apply(revocation);
  return revocations;
}

describe("revocations", () => {
  it("G10: of a token take that token and no other", () => {
    const revocations = after({ kind: "token", id: "t1", until: T });
    expect(revocations.refusalOf(identity())).toBe("token-revoked");
    expect(revocations.isRevoked(identity({ token: "t2" }))).toBe(false);
    expect(revocations.isRevoked(identity({ token: undefined }))).toBe(false);
  });

  it("G10: of a user take the user's older tokens, in that tenant only", () => {
    const revocations = after({ kind: "user", tenant: "acme", user: "ada", before: T });
    expect(revocations.refusalOf(identity({ issued: T - 5_000 }))).toBe("token-revoked");
    expect(revocations.isRevoked(identity({ issued: T + 5_000 }))).toBe(false);
    expect(revocations.isRevoked(identity({ issued: T - 5_000, user: "bob" }))).toBe(false);
    expect(revocations.isRevoked(identity({ issued: T - 5_000, tenant: "other" }))).toBe(false);
    expect(
      after({ kind: "user", tenant: "a", user: "b/c", before: T }).isRevoked(identity({ tenant: "a", user: "c" })),
    ).toBe(false);
  });

  it("G10: of a tenant take all its older tokens, and no other tenant's", () => {
    const revocations = after({ kind: "tenant", tenant: "acme", before: T });
    expect(revocations.isRevoked(identity({ issued: T - 5_000, user: "bob" }))).toBe(true);
    expect(revocations.isRevoked(identity({ issued: T + 5_000 }))).toBe(false);
    expect(revocations.isRevoked(identity({ issued: T - 5_000, tenant: "other" }))).toBe(false);
  });

  it("G10: no token made up to the revocation passes, though it tells its second only", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -5_000, max: 5_000 }),
        fc.integer({ min: 0, max: 5_000 }),
        fc.boolean(),
        (at, older, up) => {
          const before = T + at;
          const made = before - older;
          // Issuers write the second that runs, and some the nearest one.
          const issued = (up ? Math.ceil : Math.floor)(made / 1000) * 1000;
          const revocations = after({ kind: "user", tenant: "acme", user: "ada", before });
          expect(revocations.isRevoked(identity({ issued }))).toBe(true);
        },
      ),
    );
  });

  it("G10: a token made two seconds after the revocation passes; one from its second may have to be fetched again", () => {
    const revocations = after({ kind: "user", tenant: "acme", user: "ada", before: T + 500 });
    expect(revocations.refusalOf(identity({ issued: T - 1_000 }))).toBe("token-revoked");
    expect(revocations.refusalOf(identity({ issued: T }))).toBe("token-expired");
    expect(revocations.refusalOf(identity({ issued: T + 1_000 }))).toBe("token-expired");
    expect(revocations.refusalOf(identity({ issued: T + 2_000 }))).toBeUndefined();
  });

  it("G10: a revoked guest does not come back with the same secret; a revoked tenant's guests may come anew", () => {
    const guest = { guest: true, user: "guest~x", token: undefined };
    const user = after({ kind: "user", tenant: "acme", user: "guest~x", before: T });
    expect(user.refusalOf(identity({ ...guest, issued: T + 60_000 }))).toBe("token-revoked");
    const tenant = after({ kind: "tenant", tenant: "acme", before: T });
    expect(tenant.refusalOf(identity({ ...guest, issued: T }))).toBe("token-revoked");
    expect(tenant.refusalOf(identity({ ...guest, issued: T + 1 }))).toBeUndefined();
  });

  it("count in any order and any number of times, the latest wins", () => {
    const early: Revocation = { kind: "user", tenant: "acme", user: "ada", before: T };
    const late: Revocation = { ...early, before: T + 10_000 };
    const revocations = new Revocations(LIFETIME);
    expect([late, early, late].map((each) => revocations.apply(each))).toEqual([true, false, false]);
    expect(revocations.isRevoked(identity({ issued: T + 10_000 }))).toBe(true);
    expect(revocations.size).toBe(1);
  });

  it("G11: are forgotten once no token they could refuse is alive", () => {
    const revocations = after(
      { kind: "token", id: "t1", until: T },
      { kind: "user", tenant: "acme", user: "ada", before: T },
      { kind: "user", tenant: "acme", user: "guest~x", before: T },
      { kind: "tenant", tenant: "acme", before: T },
    );
    revocations.forget(T + 60_000);
    expect(revocations.size).toBe(4);
    revocations.forget(T + 60_001);
    expect(revocations.size).toBe(3);
    revocations.forget(T + LIFETIME + 60_000);
    expect(revocations.size).toBe(3);
    revocations.forget(T + LIFETIME + 60_001);
    expect(revocations.size).toBe(0);
  });

  it("have one form", () => {
    const good: Revocation[] = [
      { kind: "token", id: "t1", until: T },
      { kind: "user", tenant: "acme", user: "guest~x", before: T },
      { kind: "tenant", tenant: "acme", before: T },
    ];
    for (const each of good) expect(v.is(RevocationSchema, each)).toBe(true);
    for (const bad of [
      { kind: "token", id: "", until: T },
      { kind: "token", id: "t1" },
      { kind: "user", tenant: "A", user: "ada", before: T },
      { kind: "user", tenant: "acme", before: T },
      { kind: "tenant", tenant: "acme", before: Number.NaN },
      { kind: "tenant", tenant: "acme", before: T, extra: 1 },
      { kind: "everything" },
      null,
    ]) {
      expect(v.is(RevocationSchema, bad)).toBe(false);
    }
  });
});
