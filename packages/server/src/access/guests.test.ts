import { describe, expect, it } from "vitest";
import { createGuests } from "./guests.ts";

const reverse = (text: string) => [...text].reverse().join("").padEnd(43, "h");

describe("guests", () => {
  it("are the same user for the same secret, with the definition's tenant and grants", () => {
    const guests = createGuests({ grants: { "room:lobby": ["read"] }, tenant: "acme" }, reverse);
    expect(guests("abcdefghijklmnopqrstuvwxyz", "Bo\u0007b ", 5)).toEqual({
      tenant: "acme",
      user: "guest~zyxwvutsrqponmlkjihgfe",
      name: "Bob",
      guest: true,
      grants: { "room:lobby": ["read"] },
      expires: undefined,
      issued: 5,
      token: undefined,
    });
    expect(createGuests({ grants: {} }, reverse)("x", undefined, 5)).toMatchObject({
      tenant: "default",
      name: undefined,
    });
  });

  it("a definition with a tenant, a pattern or a right that cannot be does not start", () => {
    expect(() => createGuests({ grants: {}, tenant: "A" }, reverse)).toThrow(RangeError);
    expect(() => createGuests({ grants: { "room*": ["read"] } }, reverse)).toThrow(/grants/);
    expect(() => createGuests({ grants: { "room:*": ["fly" as "read"] } }, reverse)).toThrow(RangeError);
  });
});
