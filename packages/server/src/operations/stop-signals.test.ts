import { EventEmitter } from "node:events";
import { silentLogger } from "@tandem/runtime";
import { expect, it } from "vitest";
import { stopOnSignals } from "./stop-signals.ts";

function setUp(stop: () => Promise<void>) {
  const exits: number[] = [];
  const process = Object.assign(new EventEmitter(), { exit: (code: number) => void exits.push(code) });
  const clock = { now: 0 };
  const begin = stopOnSignals({ stop, process, runtime: { logger: silentLogger, elapsed: () => clock.now } });
  return { process, exits, begin, clock };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

it.each(["SIGTERM", "SIGINT"])("%s ends the process with 0 once everything is in order", async (signal) => {
  let finish = () => {};
  const { process, exits } = setUp(() => new Promise((resolve) => (finish = resolve)));
  process.emit(signal, signal);
  await turn();
  expect(exits).toEqual([]);
  finish();
  await turn();
  expect(exits).toEqual([0]);
});

it("a second signal ends it at once", () => {
  const { process, exits, clock } = setUp(() => new Promise(() => {}));
  process.emit("SIGTERM", "SIGTERM");
  clock.now += 1_000;
  process.emit("SIGINT", "SIGINT");
  expect(exits).toEqual([1]);
});

it("the same signal twice in one moment is one", () => {
  const { process, exits, clock } = setUp(() => new Promise(() => {}));
  process.emit("SIGINT", "SIGINT");
  clock.now += 20;
  process.emit("SIGINT", "SIGINT");
  expect(exits).toEqual([]);
});

it("is begun once, from outside too", async () => {
  let stops = 0;
  const { process, exits, begin } = setUp(async () => void stops++);
  begin("told so");
  begin("told so");
  await turn();
  expect([stops, exits]).toEqual([1, [0]]);
  expect(process.listenerCount("SIGTERM")).toBe(1);
});

it("ends with 1 when it cannot be done in order", async () => {
  const { process, exits } = setUp(() => Promise.reject(new Error("no")));
  process.emit("SIGTERM", "SIGTERM");
  await turn();
  expect(exits).toEqual([1]);
});
