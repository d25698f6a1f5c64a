/**
 * Writes docs/configuration.md from the table of settings:
 *
 *     node scripts/configuration-docs.ts
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { configurationDocs } from "../packages/server/src/operations/configuration-docs.ts";

const docs = fileURLToPath(new URL("../docs", import.meta.url));
mkdirSync(docs, { recursive: true });
writeFileSync(`${docs}/configuration.md`, configurationDocs());
console.log("docs/configuration.md is written.");
