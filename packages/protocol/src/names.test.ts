import fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import {
  ChannelNameSchema,
  channelId,
  channelName,
  channelType,
  isChannelName,
  matchesPattern,
} from "./channel-name.ts";

const type = fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/);
const id = fc.stringMatching(/^[A-Za-z0-9_.~@+-][A-Za-z0-9_.:~@+-]{0,60}$/);
const name = fc.tuple(type, id).map(([left, right]) => `${left}:${right}`);

describe("a channel's name", () => {
  it("is made of a type and an id, and comes apart into them", () => {
    fc.assert(
      fc.property(type, id, (left, right) => {
        const whole = channelName(left, right);
        expect(v.is(ChannelNameSchema, whole)).toBe(true);
        expect([channelType(whole), channelId(whole)]).toEqual([left, right]);
      }),
    );
  });

  it("G10: is plain ASCII: no letter of another form, no slash, no star, no percent sign", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 40 }), (text) => {
        if (/[^\u0021-\u007e]|[/*%]/.test(text)) expect(isChannelName(`room:${text}`)).toBe(false);
      }),
    );
  });

  it.each([
    "",
    ":",
    "room",
    "room:",
    ":1",
    "Room:1",
    "1room:1",
    "room::1",
    "room:a/b",
    "room:*",
    "room:a b",
    `room:${"x".repeat(129)}`,
  ])("is not %j", (text) => {
    expect(isChannelName(text)).toBe(false);
    expect(() => channelName(text, "")).toThrow(RangeError);
  });
});

describe("a pattern", () => {
  it("without a star covers the one channel", () => {
    fc.assert(
      fc.property(name, name, (pattern, other) => {
        expect(matchesPattern(pattern, pattern)).toBe(true);
        expect(matchesPattern(pattern, other)).toBe(pattern === other);
      }),
    );
  });

  it("with a final star covers what goes on from there, and nothing else", () => {
    fc.assert(
      fc.property(type, fc.stringMatching(/^[a-z-]{0,5}$/), name, (left, right, other) => {
        const pattern = `${left}:${right}*`;
        expect(matchesPattern(pattern, `${left}:${right}x`)).toBe(true);
        expect(matchesPattern(pattern, `${left}:${right}`)).toBe(false);
        expect(matchesPattern(pattern, other)).toBe(
          other.startsWith(`${left}:${right}`) && other.length > `${left}:${right}`.length,
        );
      }),
    );
  });

  it.each([
    ["room*", "room:1"],
    ["*:1", "room:1"],
    ["r*", "room:1"],
    ["", "room:1"],
    ["room:1*2", "room:112"],
  ])("%j covers nothing", (pattern, channel) => {
    expect(matchesPattern(pattern, channel)).toBe(false);
  });

  it("* covers every channel", () => {
    fc.assert(fc.property(name, (channel) => matchesPattern("*", channel)));
  });
});
