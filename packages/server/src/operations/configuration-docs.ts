import type { Group } from "./setting.ts";
import { ALL_SETTINGS } from "./settings.ts";

const TITLES: Record<Group, string> = {
  server: "The server",
  access: "Who may come in",
  log: "The log of what happens",
  limits: "Limits",
  command: "The command",
};

/** The text of docs/configuration.md. */
export function configurationDocs(): string {
  const groups = Object.entries(TITLES).map(([group, title]) => {
    const rows = ALL_SETTINGS.filter((setting) => setting.group === group).map(
      ({ name, type, default: fallback, meaning }) => {
        const shown = fallback.startsWith("(") ? fallback.slice(1, -1) : `\`${fallback}\``;
        return `| \`${name}\` | ${type} | ${shown} | ${meaning} |`;
      },
    );
    return [`## ${title}`, "", "| setting | value | default | meaning |", "|---|---|---|---|", ...rows].join("\n");
  });
  return `${[
    "# Configuration",
    "A server reads these variables from its environment when it starts. An unknown `TANDEM_` variable, or a wrong value, stops the start with a sentence that says what to do.",
    "This page is made from the table in `packages/server/src/operations/settings.ts`: `node scripts/configuration-docs.ts`.",
    ...groups,
  ].join("\n\n")}\n`;
}
