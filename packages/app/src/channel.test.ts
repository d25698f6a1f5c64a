import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { ChannelInput } from "./channel.ts";
import { channel } from "./channel.ts";

const events = { message: v.object({ text: v.string() }) };

describe("a channel type", () => {
  it("lets readers catch up, and filters by event type only, unless it says otherwise", () => {
    expect(channel({ events })).toMatchObject({ overflow: "catch-up", filterable: new Set() });
  });

  it("conflates by event type unless it names a key", () => {
    const { key } = channel({ events, overflow: "latest" });
    expect(key({ offset: 1, id: "i", type: "message", time: 1, data: {} })).toBe("message");
  });

  it.each<[Partial<ChannelInput<typeof events>>]>([
    [{ filterable: ["a.b"] }],
    [{ filterable: ["1st"] }],
    [{ key: () => "x" }],
    [{ overflow: "disconnect", key: () => "x" }],
    [{ retention: { count: 0 } }],
  ])("is refused with %o", (more) => {
    expect(() => channel({ events, ...more })).toThrow(RangeError);
  });
});
