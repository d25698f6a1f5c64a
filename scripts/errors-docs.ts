/**
 * Writes docs/errors.md from the table of errors:
 *
 *     node scripts/errors-docs.ts
 */
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { ErrorCode } from "../packages/protocol/src/errors.ts";
import { closeCodeOf, ERRORS } from "../packages/protocol/src/errors.ts";
import { MEANINGS } from "../packages/protocol/src/meanings.ts";

export const ERRORS_PAGE = fileURLToPath(new URL("../docs/errors.md", import.meta.url));

const INTRODUCTION = `# Errors

Made by \`node scripts/errors-docs.ts\` from \`errors.ts\` and \`meanings.ts\` in \`packages/protocol/src\`. Every refusal, on the wire
and in the client library, is one of these. *Retryable*: trying the same again can help, after \`retryAfter\` milliseconds where that is given.
*Close*: the connection ends with this code; without one it goes on.

| close code | what a client does |
|---|---|
| 4000–4099 | reconnects and resumes |
| 4400–4499 | does not come back |
| 4500–4599 | comes back after the server's hint |

`;

/** The page. */
export function errorsDocs(): string {
  const rows = (Object.keys(ERRORS) as ErrorCode[]).map((code) => {
    const retryable = ERRORS[code].retryable ? "yes" : "no";
    return `| \`${code}\` | ${retryable} | ${closeCodeOf(code) ?? ""} | ${MEANINGS[code]} |`;
  });
  return `${INTRODUCTION}| code | retryable | close | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

if (import.meta.main) {
  writeFileSync(ERRORS_PAGE, errorsDocs());
  console.log("docs/errors.md is written.");
}
