import type { Right } from "@tandem/app";
import { RIGHTS } from "@tandem/app";
import { channelType } from "@tandem/protocol";
import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { expandRights, GrantsSchema, grantedRights } from "./grants.ts";

const type = fc.constantFrom("room", "ro", "doc");
const id = fc.stringMatching(/^[A-Za-z0-9_.~@+-][A-Za-z0-9_.:~@+-]{0,5}$/);
const channel = fc.tuple(type, id).map(([type, id]) => `${type}:${id}`);
const pattern = fc.oneof(
  fc.constant("*"),
  channel,
  type.map((type) => `${type}:*`),
  channel.map((name) => `${name}*`),
);
const rights = fc.subarray([...RIGHTS]);
const grants = fc.dictionary(pattern, rights, { maxKeys: 8, noNullPrototype: true });

/** The rule once more, letter by letter. */
function covers(pattern: string, name: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === name;
  return star === 0 || (name.slice(0, star) === pattern.slice(0, star) && name.length > star);
}

describe("grants", () => {
  it("G10: give a right exactly where a pattern that covers the channel gives it, or admin", () => {
    fc.assert(
      fc.property(grants, channel, (grants, channel) => {
        const expected = new Set<Right>();
        for (const [pattern, rights] of Object.entries(grants)) {
          if (covers(pattern, channel)) for (const right of rights) expected.add(right);
        }
        expect(new Set(grantedRights(grants, channel))).toEqual(expected.has("admin") ? new Set(RIGHTS) : expected);
      }),
    );
  });

  it("G10: a pattern of one type never gives a right on another type, even where names begin alike", () => {
    fc.assert(
      fc.property(grants, channel, (grants, channel) => {
        const elsewhere = Object.keys(grants).every(
          (pattern) => !["*", channelType(channel)].includes(pattern.split(":")[0] ?? ""),
        );
        if (elsewhere) expect(grantedRights(grants, channel)).toEqual([]);
      }),
    );
    expect(grantedRights({ "ro:*": ["read"] }, "room:1")).toEqual([]);
  });

  it("more grants never mean fewer rights", () => {
    fc.assert(
      fc.property(grants, grants, channel, (some, more, channel) => {
        const both = grantedRights({ ...more, ...some }, channel);
        for (const right of grantedRights(some, channel)) expect(both).toContain(right);
      }),
    );
  });

  it("admin includes all, and what is no right is none", () => {
    expect(expandRights(["admin"])).toEqual(RIGHTS);
    expect(expandRights(["publish", "fly", "read", 7])).toEqual(["read", "publish"]);
    expect(expandRights([])).toEqual([]);
  });

  it("the claim is bounded and takes patterns and rights that can be, only", () => {
    const accepts = (grants: unknown) => v.is(GrantsSchema, grants);
    const many = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`room:${n}`, ["read"]]));
    expect(accepts({ "*": ["admin"], "room:*": ["read", "publish"], "room:a-*": [], "room:1": RIGHTS })).toBe(true);
    expect(accepts(many(256))).toBe(true);
    expect(accepts(many(257))).toBe(false);
    expect(accepts({ [`room:${"x".repeat(128)}`]: ["read"] })).toBe(true);
    expect(accepts({ [`room:${"x".repeat(200)}`]: ["read"] })).toBe(false);
    for (const pattern of ["room*", "*:1", "room:*:x", "", "room:", "Room:1", "room:%31", "**", "rоom:1"]) {
      expect(accepts({ [pattern]: ["read"] }), pattern).toBe(false);
    }
    for (const rights of [["fly"], "read", { read: true }, [["read"]], null, Array(7).fill("read")]) {
      expect(accepts({ "room:1": rights })).toBe(false);
    }
    for (const grants of [null, [], "room:1", 1]) expect(accepts(grants)).toBe(false);
    expect(accepts(JSON.parse('{"__proto__":["admin"]}'))).toBe(false);
  });
});
