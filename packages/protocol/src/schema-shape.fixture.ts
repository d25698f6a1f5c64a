import { createHash } from "node:crypto";

/** Fields of a Valibot schema or action that say nothing about what it takes. */
const ASIDE = new Set(["reference", "async", "message", "expects", "kind"]);

/** What a Valibot schema takes, as plain data: its types, entries, bounds, patterns and defaults. */
export function shapeOf(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(shapeOf);
  if (schema instanceof RegExp) return String(schema);
  if (typeof schema === "function") return `function ${schema.name}`;
  if (typeof schema !== "object" || schema === null) return schema;
  // Where there is a pipe, its first part is the schema itself.
  if ("pipe" in schema) return { pipe: shapeOf(schema.pipe) };
  const fields = Object.entries(schema)
    .filter(([key]) => !ASIDE.has(key) && !key.startsWith("~"))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [key, shapeOf(value)]);
  return Object.fromEntries(fields);
}

/** 16 letters that change whenever a shape does. */
export function hashOf(shape: unknown): string {
  return createHash("sha256").update(JSON.stringify(shape)).digest("base64url").slice(0, 16);
}
