import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { ClientMessageSchema } from "./messages/client-message.ts";
import { ServerMessageSchema } from "./messages/server-message.ts";
import known from "./schema-hash.json" with { type: "json" };
import { hashOf, shapeOf } from "./schema-shape.fixture.ts";
import { PROTOCOL_VERSION, SUBPROTOCOLS } from "./version.ts";

const hash = hashOf(shapeOf({ client: ClientMessageSchema, server: ServerMessageSchema }));
const hashes: Readonly<Record<string, string>> = known;

describe("the wire's version", () => {
  it("is raised by every change of a message schema", () => {
    expect(
      hashes[PROTOCOL_VERSION],
      `The message schemas are not those of protocol version ${PROTOCOL_VERSION}. If that version was ever released: raise ` +
        "PROTOCOL_VERSION and the subprotocols in version.ts, and say in SPEC.md how the two versions live side by side. " +
        `Then write "<version>": "${hash}" into schema-hash.json, and leave the entries of older versions as they are.`,
    ).toBe(hash);
  });

  it("is in the subprotocols' names, and the newest that schema-hash.json knows", () => {
    for (const name of Object.values(SUBPROTOCOLS)) expect(name).toContain(`.v${PROTOCOL_VERSION}.`);
    expect(Math.max(...Object.keys(hashes).map(Number))).toBe(PROTOCOL_VERSION);
  });
});

describe("the shape of a schema", () => {
  const shape = (schema: unknown) => hashOf(shapeOf(schema));

  it.each([
    ["a bound", v.pipe(v.number(), v.maxValue(5)), v.pipe(v.number(), v.maxValue(6))],
    ["a pattern", v.pipe(v.string(), v.regex(/a/)), v.pipe(v.string(), v.regex(/a/i))],
    ["a field", v.object({ a: v.string() }), v.object({ a: v.string(), b: v.optional(v.string()) })],
    ["a field's name", v.object({ a: v.string() }), v.object({ b: v.string() })],
    ["whether a field may be left out", v.object({ a: v.string() }), v.object({ a: v.optional(v.string()) })],
    ["a default", v.optional(v.number(), 1), v.optional(v.number(), 2)],
    ["whether unknown fields are refused", v.object({ a: v.string() }), v.strictObject({ a: v.string() })],
    ["a choice", v.picklist(["a", "b"]), v.picklist(["a", "c"])],
    ["a literal deep inside", v.array(v.object({ a: v.literal("x") })), v.array(v.object({ a: v.literal("y") }))],
  ])("changes with %s", (_, before, after) => {
    expect(shape(after)).not.toBe(shape(before));
  });

  it("does not change with the order of fields or a sentence for people", () => {
    expect(shape(v.object({ b: v.string("b is a text"), a: v.string() }))).toBe(
      shape(v.object({ a: v.string(), b: v.string() })),
    );
  });
});
