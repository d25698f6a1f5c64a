import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "tandem-core-"));
  for (const file of ["biome.json", ".gitignore", "scripts/pure-core.grit"])
    cpSync(join(root, file), join(folder, file));
  execFileSync("git", ["init", "--quiet"], { cwd: folder });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the linter says of `source` at `path`: its errors, in one text. */
function lint(path: string, source: string): string {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${source}\n`);
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const run = spawnSync(process.execPath, [biome, "lint", "--reporter=github", "--diagnostic-level=error", path], {
    cwd: folder,
    encoding: "utf8",
  });
  return run.stdout;
}

const planted: [source: string, advice: string][] = [
  ["export const a = Date.now();", "take them from the Runtime"],
  ["export const a = new Date();", "take them from the Runtime"],
  ["export const a = Math.random();", "take them from the Runtime"],
  ["export const { random } = Math;", "take them from the Runtime"],
  ["export const { now } = Date;", "take them from the Runtime"],
  ["export const a = AbortSignal.timeout(1);", "take them from the Runtime"],
  ["setTimeout(() => undefined, 1);", "setTimeout"],
  ["setInterval(() => undefined, 1);", "setInterval"],
  ["setImmediate(() => undefined);", "setImmediate"],
  ["queueMicrotask(() => undefined);", "queueMicrotask"],
  ["globalThis.setTimeout(() => undefined, 1);", "globalThis"],
  ["export const a = performance.now();", "performance"],
  ["export const a = crypto.randomUUID();", "crypto"],
  ["export const a = fetch('/');", "fetch"],
  ["export const a = new WebSocket('/');", "WebSocket"],
  ["export const a = process.env;", "process"],
  ["console.log(1);", "console"],
  ["export * from 'node:fs';", "declare a port"],
  ["export * from 'node:fs/promises';", "declare a port"],
  ["export { WebSocketServer } from 'ws';", "declare a port"],
  ["export { Hono } from 'hono';", "declare a port"],
  ["export { serve } from '@hono/node-server';", "declare a port"],
  ["export { jwtVerify } from 'jose';", "declare a port"],
  ["export { pino } from 'pino';", "declare a port"],
  ["export const a = import('node:net');", "declare a port"],
  ["export * from '@tandem/runtime/node';", "declare a port"],
];

test.each(planted)("the core may not: %s", (source, advice) => {
  expect(lint("packages/protocol/src/planted.ts", source)).toContain(advice);
});

test.each([
  "packages/app/src/a.ts",
  "packages/client/src/outbox/a.ts",
  "packages/runtime/src/backoff.ts",
  "packages/server/src/log/memory.ts",
  "packages/server/src/access/grants.ts",
  "packages/server/src/channel/a.ts",
])("%s is core", (path) => {
  expect(lint(path, "export const a = [Date.now(), performance.now()];")).toMatch(/Runtime[\s\S]*performance/);
});

test.each([
  "packages/client/src/index.ts",
  "packages/client/src/transport/websocket.ts",
  "packages/runtime/src/node.ts",
  "packages/runtime/src/system-clock.ts",
  "packages/server/src/access/jwks.ts",
  "packages/server/src/access/jwt-authenticator.ts",
  "packages/server/src/log/sqlite/worker.ts",
  "packages/server/src/server.ts",
  "packages/protocol/src/codec.test.ts",
])("%s is no core", (path) => {
  expect(lint(path, "export * from 'node:fs';\nexport const a = [Date.now(), performance.now()];")).toBe("");
});

test("what is pure stays allowed", () => {
  const source =
    "export const a = (time: number) => [new Date(time).toISOString(), Buffer.from('a'), Math.max(1, time)];";
  expect(lint("packages/protocol/src/planted.ts", source)).toBe("");
});

test("the plugin and the rules of biome.json cover the same files", () => {
  const config = JSON.parse(readFileSync(join(root, "biome.json"), "utf8"));
  expect(config.plugins[0].includes).toEqual(config.overrides[0].includes);
});
