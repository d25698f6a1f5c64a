import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/** The pages that have examples in TypeScript. */
export const PAGES = [
  "README.md",
  "docs/concepts.md",
  "docs/client.md",
  "docs/server.md",
  "docs/models.md",
  "docs/command.md",
];

/** The application that the examples are about, where a page does not define it itself. */
export const DEFINITION = `
import { channel, defineApp } from "@tandem/app";
import { JobTicksSchema, job, lock, stream, vote } from "@tandem/model";
import * as v from "valibot";

const events = { message: v.object({ text: v.string(), lang: v.optional(v.string()) }) };
const notice = v.object({ text: v.string() });

export default defineApp({
  channels: {
    room: channel({ events, filterable: ["lang"], models: { votes: vote(), locks: lock() } }),
    board: channel({
      events: {},
      presence: { state: v.object({ page: v.number() }) },
      signals: { cursor: v.object({ x: v.number(), y: v.number() }) },
    }),
    alarm: channel({
      events: { raised: v.object({ severity: v.number(), site: v.string() }) },
      filterable: ["severity", "site"],
    }),
    desk: channel({ events: {}, models: { jobs: job() }, signals: { ticks: JobTicksSchema } }),
    text: channel({ events: {}, models: { stream: stream() } }),
    user: channel({ events: { notice } }),
  },
});
`;

/** What the examples take from their reader: names that a page does not declare. */
export const SURROUNDINGS = `
type App = typeof import("./tandem.config.ts").default;
declare const client: import("@tandem/client").Client<App>;
type Application = import("@tandem/server").Application;
declare const { channel, defineApp }: typeof import("@tandem/app");
declare const { defineModel, lock, records, vote }: typeof import("@tandem/model");
declare const v: typeof import("valibot");
declare const { useSyncExternalStore }: typeof import("react");

declare const anything: any;
declare function show(...what: unknown[]): void;
declare const showStatus: typeof show, showMembers: typeof show, showVotes: typeof show, showReason: typeof show;
declare const draw: typeof show, index: typeof show, report: typeof show, fetchAnew: typeof show;
declare function fetchToken(): Promise<string>;
declare function render(input: unknown, page: number, options: { signal: AbortSignal }): Promise<void>;
declare function run(work: import("@tandem/client").Work): unknown;
declare function make(input: unknown): Promise<unknown>;
declare function sendMail(data: unknown): Promise<void>;
declare function answer(options: { signal: AbortSignal }): AsyncIterable<string>;
declare function isMember(user: string, id: string): boolean;
declare function mayHear(event: unknown, viewer: unknown): boolean;
declare function handler(request: unknown, response: unknown): void;
declare const httpServer: import("node:http").Server;
declare const position: import("@tandem/client").Position;
declare const url: string, token: () => string, id: string, question: string, proposal: string;
declare const Notice: import("valibot").GenericSchema<{ text: string }>;
interface Quote { symbol: string }
`;

/**
 * A page's examples as files, by name: those that it names itself (`ts file=…`), those that export something, and `page.ts` with the others, one after
 * the other.
 */
export function examplesOf(page: string): Map<string, string> {
  const text = readFileSync(`${ROOT}${page}`, "utf8");
  const files = new Map<string, string>();
  const imports = new Set<string>();
  const scopes: string[] = [];
  for (const [, file, code = ""] of text.matchAll(/^```ts(?: file=(\S+))?\n(.*?)^```$/gms)) {
    if (file !== undefined) files.set(file, code);
    else if (/^export /m.test(code)) files.set(`module-${files.size}.ts`, filled(code));
    else {
      for (const [line] of code.matchAll(/^import [^;]*;/gm)) imports.add(line);
      scopes.push(statements(filled(code.replace(/^import .*$/gm, ""))));
    }
  }
  // An example sees what those before it have declared, and may take a name anew.
  const nested = scopes.map((scope) => `{\n${scope}`).join("\n") + "}".repeat(scopes.length);
  // What one example imports as a type, another may use.
  const lines = [...imports].filter(
    (line) => !line.startsWith("import type ") || !imports.has(line.replace("import type ", "import ")),
  );
  files.set("page.ts", `${lines.join("\n")}\n${nested}\nexport {};\n`);
  return files;
}

/** What an example leaves out (`…`) may be anything. */
function filled(code: string): string {
  const whole = code.replaceAll("({ … })", "(anything)");
  return whole
    .replaceAll("{ … }", "{}")
    .replaceAll("{ …,", "{ ...anything,")
    .replaceAll(", …]", "]")
    .replaceAll("…", "anything");
}

/** Entries of a definition stand in a page as they are: `room: channel({ … }),`. */
function statements(code: string): string {
  return /^"?[a-z-]+"?: /.test(code) ? `({\n${code}\n});\n` : code;
}
