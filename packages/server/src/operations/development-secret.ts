import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Where a development server keeps its secret, in its data folder. */
export const DEVELOPMENT_SECRET = "development-secret";

/**
 * The secret of a development server: made once, kept in the data folder for its owner's eyes only, so that tokens and
 * guests stay the same over restarts.
 */
export function developmentSecret(data: string): string {
  const file = join(data, DEVELOPMENT_SECRET);
  if (!existsSync(file)) {
    mkdirSync(data, { recursive: true });
    try {
      writeFileSync(file, `${randomBytes(48).toString("base64url")}\n`, { mode: 0o600, flag: "wx" });
    } catch (error) {
      // Another process made it in the same moment: its secret is as good.
      if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    }
  }
  return readFileSync(file, "utf8").trim();
}
