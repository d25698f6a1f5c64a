import type { StandardSchemaV1 } from "@standard-schema/spec";
import { defineModel } from "@tandem/model";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import type { ChannelInput } from "./channel.ts";
import { channel } from "./channel.ts";

const meter = defineModel({
  name: "meter",
  initial: () => ({ value: 0 }),
  events: { added: ({ value }, by: number) => ({ value: value + by }) },
  commands: {},
});

const events = { message: v.object({ text: v.string() }) };

describe("a channel type", () => {
  it("lets readers catch up, and filters by event type only, unless it says otherwise", () => {
    expect(channel({ events })).toMatchObject({ overflow: "catch-up", filterable: new Set() });
  });

  it("conflates by event type unless it names a key", () => {
    const { key } = channel({ events, overflow: "latest" });
    expect(key({ offset: 1, id: "i", type: "message", time: 1, data: {} })).toBe("message");
  });

  it.each<[Partial<ChannelInput<Record<string, StandardSchemaV1>>>]>([
    [{ filterable: ["a.b"] }],
    [{ filterable: ["1st"] }],
    [{ key: () => "x" }],
    [{ overflow: "disconnect", key: () => "x" }],
    [{ retention: { count: 0 } }],
    [{ models: { "1st": meter } }],
    [{ models: { message: meter }, events: { "message.sent": v.object({}) } }],
    [{ models: { meter }, overflow: "latest" }],
  ])("is refused with %o", (more) => {
    expect(() => channel({ events, ...more })).toThrow(RangeError);
  });
});
