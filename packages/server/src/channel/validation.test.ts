import { channel, event } from "@tandem/app";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { validate } from "./validation.ts";

const BOUNDS = { eventBytes: 1_000, depth: 8 };

const definition = channel({
  events: {
    any: v.unknown(),
    text: v.object({ text: v.pipe(v.string(), v.trim()) }),
    later: v.pipeAsync(
      v.unknown(),
      v.transformAsync(async (data) => (data === "big" ? 1n : data)),
    ),
    throwing: v.pipe(
      v.unknown(),
      v.transform(() => {
        throw new Error("mine");
      }),
    ),
    moved: event({
      version: 3,
      schema: v.object({ a: v.number() }),
      upcasters: { 1: (data) => ({ b: data }), 2: (data) => ({ a: (data as { b: number }).b }) },
    }),
  },
});

const judge = (name: string, data: unknown, version = 1) =>
  validate(definition, { event: name, version, data, author: "ada" }, BOUNDS);

const nested = (depth: number): unknown => (depth === 0 ? 1 : [nested(depth - 1)]);

describe("validation", () => {
  it("stores what the schema makes of the data", () => {
    expect(judge("text", { text: " a ", more: 1 })).toEqual({
      events: [{ type: "text", version: 1, data: '{"text":"a"}', author: "ada", trace: undefined }],
    });
  });

  it("brings data of an older version to the present one, step by step", () => {
    for (const [version, data] of [
      [1, 5],
      [2, { b: 5 }],
      [3, { a: 5 }],
    ] as const) {
      expect(judge("moved", data, version)).toMatchObject({ events: [{ version: 3, data: '{"a":5}' }] });
    }
    expect(judge("moved", { a: 5 }, 4)).toMatchObject({ refusal: { code: "invalid-event" } });
  });

  it.each([
    ["what is no JSON value", "any", undefined, "invalid-data"],
    ["what JSON cannot write", "any", 1n, "invalid-data"],
    ["what a schema throws at", "throwing", 1, "invalid-data"],
    ["what an upcaster throws at", "moved", null, "invalid-data"],
    ["what is not declared", "toString", 1, "invalid-event"],
    ["what is too long", "any", "é".repeat(500), "event-too-large"],
    ["what is nested too deep for a codec", "any", nested(9), "too-deep"],
    ["a key that no codec carries", "any", JSON.parse('{"a":{"__proto__":1}}'), "invalid-data"],
  ])("refuses %s for good", (_, name, data, code) => {
    expect(judge(name, data)).toMatchObject({ refusal: { code } });
  });

  it("takes what only looks nested, or like such a key", () => {
    for (const data of [nested(8), "[[[[[[[[[[", '{"__proto__":1}', '\\"[[[[[[[[[[', { text: ',"__proto__":' }]) {
      expect(judge("any", data)).toMatchObject({ events: [{ data: JSON.stringify(data) }] });
    }
  });

  it("G2: refuses for good what goes wrong in an asynchronous schema too", async () => {
    expect(judge("later", 1)).toBeInstanceOf(Promise);
    expect(await judge("later", 1)).toMatchObject({ events: [{ data: "1" }] });
    expect(await judge("later", "big")).toMatchObject({ refusal: { code: "invalid-data" } });
  });

  it("G11: quotes little of what was sent", () => {
    const path = "k".repeat(10_000);
    const strict = channel({ events: { one: v.record(v.string(), v.picklist(["a"])) } });
    const verdict = validate(strict, { event: "one", version: 1, data: { [path]: path }, author: undefined }, BOUNDS);
    expect(JSON.stringify(verdict).length).toBeLessThan(1_000);
  });
});
