import * as v from "valibot";
import { expect, it } from "vitest";
import type { Job } from "./job.ts";
import { JobTicksSchema, progressOf, timeLeft } from "./progress.ts";

const lease = { worker: "w", ms: 1_000, until: 9_000, since: 1_000, from: 0.2 };
const base = { id: "a", progress: 0.6, reported: 3_000, token: 4, estimate: 10_000, phase: { kind: "running", lease } };
const running = base as unknown as Job;
const waiting = { ...base, phase: { kind: "waiting", since: 1 } } as unknown as Job;
const fresh = { ...base, progress: 0.2, reported: undefined } as unknown as Job;

it("time left comes from the pace of this attempt, before there is one from the estimate", () => {
  expect(timeLeft(running, 3_000)).toBeCloseTo(2_000);
  expect(timeLeft(running, 4_500)).toBeCloseTo(500);
  expect(timeLeft(running, 99_000)).toBe(0);
  expect(timeLeft(fresh, 2_000)).toBeCloseTo(7_000);
  expect(timeLeft({ ...fresh, estimate: undefined } as unknown as Job, 2_000)).toBeUndefined();
  expect(timeLeft(waiting, 3_000)).toBeUndefined();
});

it("a tick counts while its worker holds the job, and where it is further", () => {
  const tick = (token: number, progress: number) => [{ a: { token, progress } }];
  expect(progressOf(running, tick(4, 0.7))).toBe(0.7);
  expect(progressOf(running, tick(4, 0.5))).toBe(0.6);
  expect(progressOf(running, tick(3, 0.9))).toBe(0.6);
  expect(progressOf(waiting, tick(4, 0.9))).toBe(0.6);
});

it("ticks are of a bounded number of jobs", () => {
  const ticks = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`j${at}`, { token: 1, progress: 0 }]));
  expect(v.is(JobTicksSchema, ticks(16))).toBe(true);
  expect(v.is(JobTicksSchema, ticks(17))).toBe(false);
  expect(v.is(JobTicksSchema, { a: { token: 1, progress: 2 } })).toBe(false);
});
