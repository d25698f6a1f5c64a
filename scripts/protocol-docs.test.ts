import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ClientMessageSchema, ServerMessageSchema } from "@tandem/protocol";
import { expect, it } from "vitest";

const page = readFileSync(fileURLToPath(new URL("../docs/protocol.md", import.meta.url)), "utf8");

it.each([
  ["client", ClientMessageSchema],
  ["server", ServerMessageSchema],
])("docs/protocol.md names every message of the %s", (_, { options }) => {
  const types = options.map(({ entries }) => entries.type.literal);
  expect(types.filter((type) => !page.includes(`\`${type}\``) && !page.includes(`"type": "${type}"`))).toEqual([]);
});
