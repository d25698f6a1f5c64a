import { expect, test } from "vitest";
import { violationsOf } from "./imports.ts";

/** What the rules say of one file; `others` are further files by path. */
function adviceOn(file: string, text: string, others: Record<string, string> = {}): string[] {
  return violationsOf(new Map(Object.entries({ [file]: text, ...others }))).map((violation) => violation.advice);
}

const planted: [rule: string, file: string, text: string, advice: RegExp][] = [
  ["protocol imports nothing of ours", "packages/protocol/src/a.ts", 'import "@tandem/runtime";', /nothing of ours/],
  ["runtime imports nothing of ours", "packages/runtime/src/a.ts", 'import "@tandem/protocol";', /nothing of ours/],
  ["app imports only protocol", "packages/app/src/a.ts", 'import "@tandem/runtime";', /only protocol/],
  ["client knows only app's types", "packages/client/src/a.ts", 'import { x } from "@tandem/app";', /`import type`/],
  ["an inline type still loads", "packages/client/src/a.ts", 'import { type x } from "@tandem/app";', /`import type`/],
  ["client and server are strangers", "packages/client/src/a.ts", 'import "@tandem/server";', /only protocol, runtime/],
  ["server and client are strangers", "packages/server/src/a.ts", 'export * from "@tandem/client";', /only protocol/],
  ["types count between packages", "packages/server/src/a.ts", 'type A = import("@tandem/client").A;', /only protocol/],
  ["production knows no simulation", "apps/server/src/a.ts", 'await import("@tandem/simulation");', /production code/],
  ["production knows no benchmarks", "packages/server/src/a.ts", 'import "@tandem/bench";', /production code/],
  ["no index by name", "packages/app/src/a.ts", 'import "@tandem/app";', /import the file itself/],
  ["no index by path", "packages/app/src/b/a.ts", 'import "../index.ts";', /import the file itself/],
  ["no way across folders", "packages/app/src/a.ts", 'import "../../protocol/src/x.ts";', /by its name/],
  ["imports go downhill", "packages/server/src/channel/a.ts", 'import "../connection/x.ts";', /port in channel/],
  ["types go downhill too", "packages/server/src/log/a.ts", 'import type { X } from "../channel/x.ts";', /port in log/],
  ["delivery imports no stage", "packages/server/src/delivery/a.ts", 'import "../log/x.ts";', /port in delivery/],
  [
    "siblings do not import",
    "packages/server/src/log/a.ts",
    'import "../access/x.ts";',
    /access do not know each other/,
  ],
  ["server.ts is the top", "packages/server/src/transport/a.ts", 'import "../server.ts";', /port in transport/],
  ["a new folder needs a stage", "packages/server/src/drawer/a.ts", 'import "../log/x.ts";', /table of stages/],
  ["the core names no adapter", "packages/server/src/log/a.ts", 'import "./sqlite/log.ts";', /import the port/],
  ["the core names no JWT", "packages/server/src/access/a.ts", 'import "./jwt.ts";', /import the port/],
];

test.each(planted)("a planted violation is found: %s", (_rule, file, text, advice) => {
  expect(adviceOn(file, text)).toEqual([expect.stringMatching(advice)]);
});

test.each([
  ["packages/client/src/a.ts", 'import type { App } from "@tandem/app"; import { x } from "@tandem/runtime";'],
  [
    "packages/server/src/server.ts",
    'import "./log/sqlite/log.ts"; import "./transport/ws.ts"; import "./access/jwt.ts";',
  ],
  ["packages/server/src/transport/a.ts", 'import "../connection/x.ts"; import "../delivery/x.ts"; import "./b.ts";'],
  ["packages/server/src/log/sqlite/a.ts", 'import "./b.ts"; import "../log.ts";'],
  ["packages/server/src/log/a.test.ts", 'import "./sqlite/log.ts"; import "@tandem/simulation";'],
  ["packages/simulation/src/a.ts", 'import "@tandem/server"; import "@tandem/client";'],
])("what the rules allow passes: %s", (file, text) => {
  expect(adviceOn(file, text)).toEqual([]);
});

test("a circle of run-time imports is found once, with the way round", () => {
  const others = {
    "packages/app/src/b.ts": 'export * from "./c.ts";',
    "packages/app/src/c.ts": 'import { a } from "./a.ts";',
  };
  expect(adviceOn("packages/app/src/a.ts", 'import { b } from "./b.ts";', others)).toEqual([
    expect.stringContaining("a.ts → b.ts → c.ts → a.ts"),
  ]);
});

test("a circle through import type is no circle", () => {
  const others = { "packages/app/src/b.ts": 'import type { A } from "./a.ts";' };
  expect(adviceOn("packages/app/src/a.ts", 'import { b } from "./b.ts";', others)).toEqual([]);
});
