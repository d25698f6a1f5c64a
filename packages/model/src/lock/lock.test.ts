import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { take } from "../testing/play.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import { lock } from "./lock.ts";
import type { Lock } from "./state.ts";

const model = lock({ ttl: 10_000, longest: 20_000, most: 3, queue: 2 });
type Model = typeof model;

const owner = fc.constantFrom("", "", "tab");
const name = fc.constantFrom("a", "a", "a", "a", "b", "c", "d");
const ttl = fc.integer({ min: 1, max: 20_000 });
const commands: fc.Arbitrary<Sent<Model>> = fc.oneof(
  { weight: 4, arbitrary: sent("acquire", { lock: name, owner, ttl, wait: fc.boolean() }) },
  sent("renew", { lock: name, owner, ttl }),
  { weight: 2, arbitrary: sent("release", { lock: name, owner }) },
  sent("handOver", { lock: name, owner, to: fc.constantFrom("ann", "bea", "cai", "dan", null) }),
  sent("request", { lock: name, message: fc.string({ maxLength: 5 }) }),
  sent("break", { lock: name, reason: fc.constant("stuck") }),
  sent("leave", { lock: name, owner }),
);

function sent(
  command: Sent<Model>["command"],
  input: Record<string, fc.Arbitrary<unknown>>,
): fc.Arbitrary<Sent<Model>> {
  return fc.record({ command: fc.constant(command), input: fc.record(input) });
}

function setting() {
  const stage = new Rehearsal(model, { admins: ["ann"] });
  const [ann, bea, cai] = [stage.join("ann"), stage.join("bea", 500), stage.join("cai", -500)];
  stage.join("bea");
  return { stage, ann, bea, cai };
}

describe("lock", () => {
  it("has one holder, whose token is the newest, whatever is sent and however the clock jumps", () => {
    fc.assert(
      fc.property(plays(commands, { longest: 15_000, maxLength: 150 }), (steps) => {
        const { stage } = setting();
        const held = new Map<string, number>();
        let seen = 0;
        for (const step of steps) {
          take(stage, step);
          for (const { type, data } of stage.events.slice(seen)) {
            const { lock: of, token } = data as { lock: string; token?: number };
            if (type === "granted") {
              expect(held.has(of)).toBe(false);
              held.set(of, token as number);
            } else if (token !== undefined) {
              expect(held.delete(of)).toBe(true);
            }
          }
          seen = stage.events.length;
          expect(stage.state.locks.size).toBeLessThanOrEqual(3);
          expect([...stage.state.locks.keys()].sort()).toEqual([...held.keys()].sort());
          for (const [of, { token, holder, queue, asking }] of stage.state.locks) {
            expect(holder).toBeDefined();
            expect([token, stage.fences.get(of)]).toEqual([held.get(of), held.get(of)]);
            expect(Math.max(queue.length, asking.length)).toBeLessThanOrEqual(2);
            expect(new Set(queue.map((one) => `${one.user}/${one.owner}`)).size).toBe(queue.length);
          }
        }
        stage.check();
        // Nobody renews: all comes to its end.
        stage.pass(20_000 * 4);
        expect(stage.state.locks.size).toBe(0);
        stage.check();
      }),
    );
  });

  it("goes to who waits longest when it is released, expires or is broken", () => {
    const { stage } = setting();
    stage.command("ann", "acquire", { lock: "a" });
    stage.command("bea", "acquire", { lock: "a", owner: "tab" });
    stage.command("cai", "acquire", { lock: "a" });
    expect(stage.command("cai", "acquire", { lock: "a" })).toMatchObject({ status: "accepted", events: [] });
    expect(stage.command("dan", "acquire", { lock: "a" })).toEqual({
      status: "rejected",
      reason: { code: "full", most: 2 },
    });
    expect(stage.command("bea", "release", { lock: "a" })).toEqual({
      status: "rejected",
      reason: { code: "not-held" },
    });
    stage.command("ann", "release", { lock: "a" });
    expect(holder(stage)).toMatchObject({ user: "bea", owner: "tab", until: stage.time + 10_000 });
    stage.pass(10_000);
    expect(holder(stage)).toMatchObject({ user: "cai" });
    expect(stage.command("cai", "break", { lock: "a", reason: "mine" })).toEqual({ status: "forbidden" });
    stage.command("ann", "break", { lock: "a", reason: "stuck" });
    expect(stage.state.locks.size).toBe(0);
    expect(stage.events.at(-1)).toMatchObject({ type: "broken", data: { reason: "stuck" } });
    stage.check();
  });

  it("refuses a late holder's token, also when nobody holds the lock", () => {
    const { stage } = setting();
    stage.command("ann", "acquire", { lock: "a" });
    const token = stage.state.locks.get("a")?.token ?? Number.NaN;
    expect(stage.fences.get("a")).toBe(token);
    stage.pass(10_000);
    expect(stage.state.locks.size).toBe(0);
    expect(stage.fences.has("a")).toBe(false);
    expect(stage.command("ann", "renew", { lock: "a" })).toEqual({ status: "rejected", reason: { code: "not-held" } });
  });

  it("has tokens that rise where the clock jumps back", () => {
    const { stage } = setting();
    for (let round = 0; round < 5; round++) {
      stage.command("ann", "acquire", { lock: "a" });
      stage.command("ann", "release", { lock: "a" });
      stage.advance(-100_000);
    }
    const tokens = stage.events.map(({ data }) => (data as { token: number }).token);
    expect(tokens).toHaveLength(10);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => a - b));
  });

  it("is taken from who let it expire before its deadline was asked", () => {
    const { stage } = setting();
    stage.command("ann", "acquire", { lock: "a" });
    stage.command("bea", "acquire", { lock: "a" });
    stage.advance(10_000);
    expect(stage.command("ann", "renew", { lock: "a" })).toMatchObject({ status: "rejected" });
    stage.command("cai", "acquire", { lock: "a" });
    expect(stage.state.locks.get("a")).toMatchObject({ holder: { user: "bea" }, queue: [{ user: "cai" }] });
    stage.command("dan", "acquire", { lock: "a" });
    stage.advance(10_000);
    stage.command("dan", "acquire", { lock: "a" });
    expect(stage.state.locks.get("a")).toMatchObject({ holder: { user: "cai" }, queue: [{ user: "dan", owner: "" }] });
    expect(stage.state.locks.get("a")?.queue).toHaveLength(1);
    stage.check();
  });

  it("is handed over, asked for and waited for no longer", () => {
    const { stage } = setting();
    expect(stage.command("bea", "request", { lock: "a" })).toEqual({ status: "rejected", reason: { code: "free" } });
    stage.command("ann", "acquire", { lock: "a" });
    stage.command("bea", "acquire", { lock: "a" });
    stage.command("cai", "acquire", { lock: "a", ttl: 2_000 });
    stage.command("cai", "request", { lock: "a", message: "please" });
    expect(stage.state.locks.get("a")?.asking).toEqual([{ user: "cai", at: stage.time, message: "please" }]);
    stage.command("ann", "handOver", { lock: "a", to: "cai" });
    expect(stage.state.locks.get("a")).toMatchObject({
      holder: { user: "cai", until: stage.time + 2_000 },
      queue: [{ user: "bea" }],
      asking: [],
    });
    stage.command("bea", "leave", { lock: "a" });
    stage.command("cai", "handOver", { lock: "a", to: "eve" });
    expect(stage.state.locks.get("a")).toMatchObject({ holder: { user: "eve", owner: "" }, queue: [] });
    stage.check();
  });

  it("tells two clients of one user apart where they say who they are", () => {
    const { stage } = setting();
    stage.command("ann", "acquire", { lock: "a", owner: "one" });
    expect(stage.command("ann", "acquire", { lock: "a", owner: "two", wait: false })).toMatchObject({
      reason: { code: "held", user: "ann", owner: "one" },
    });
    expect(stage.command("ann", "release", { lock: "a", owner: "two" })).toMatchObject({ status: "rejected" });
    expect(stage.command("ann", "acquire", { lock: "a", owner: "one" })).toMatchObject({
      events: [{ type: "renewed" }],
    });
  });

  it("refuses bounds that cannot be", () => {
    for (const options of [{ ttl: 0 }, { most: 0.5 }, { queue: -1 }, { ttl: 10, longest: 5 }]) {
      expect(() => lock(options)).toThrow(RangeError);
    }
  });
});

function holder(stage: Rehearsal<Model>): Lock["holder"] {
  return stage.state.locks.get("a")?.holder;
}

it("lets many locks that expire at once expire in as many steps as can be stored", () => {
  const stage = new Rehearsal(lock({ most: 2_000 }));
  for (let at = 0; at < 1_200; at++) stage.command("ann", "acquire", { lock: `lock-${at}` });
  for (let at = 0; at < 1_200; at++) stage.command("bea", "acquire", { lock: `lock-${at}` });
  stage.advance(60_000);
  const sealing = undefined;
  const made = stage.model.onDeadline(stage.state, { ...stage.context(undefined, "n", stage.time), sealing });
  expect(made.length).toBeLessThanOrEqual(1_024);
  stage.pass(200_000);
  expect(stage.state.locks.size).toBe(0);
});
