import { describe, expect, it } from "vitest";
import { ALL, appendOne, attempts, eventsOf, stored } from "./contract/attempt.contract.ts";
import { logContract } from "./log.contract.ts";
import { createMemoryLog } from "./memory.ts";
import { MemoryStore } from "./memory-store.ts";

logContract("memory", async (bounds) => createMemoryLog({ ...(bounds && { bounds }) }));

describe("a shared memory store", () => {
  it("is one log behind several handles, each closed alone", async () => {
    const store = new MemoryStore();
    const [one, two] = [createMemoryLog({ store }), createMemoryLog({ store })];
    await stored(one, attempts(1, 2));
    expect(await appendOne(two, { seq: 2 })).toMatchObject({ kind: "settled" });
    await one.close();
    expect(await appendOne(two, { seq: 3 })).toMatchObject({ kind: "committed", offset: 3 });
  });

  it("goes back to a snapshot whole: events, marks, horizon, consumers", async () => {
    const store = new MemoryStore();
    const log = createMemoryLog({ store });
    await stored(log, attempts(1, 2));
    const snapshot = store.snapshot();
    const lost = await stored(log, attempts(3, 4));
    await log.redact("acme/room:1", 1);
    await log.saveConsumer({ name: "mailer", channel: "acme/room:1", position: lost });
    await log.follow({ tenant: "acme", user: "ada" }, "room:1", 0, 9, 1);
    store.restore(snapshot);
    expect(await log.followingChanges(0, 9)).toEqual({ newest: 0, changes: [] });
    expect((await eventsOf(log)).map((event) => event.data)).toEqual(['"1"', '"2"']);
    expect(await log.loadConsumer("mailer", "acme/room:1")).toBeUndefined();
    expect(await log.read("acme/room:1", lost, ALL)).toMatchObject({ reason: "ahead" });
    await stored(log, attempts(3, 4, { data: ["0"] }));
    store.restore(snapshot);
    expect(await eventsOf(log)).toHaveLength(2);
  });

  it("settles on microtasks alone", async () => {
    const log = createMemoryLog();
    let settled = false;
    void log.append(attempts(1, 1)).then(() => {
      settled = true;
    });
    expect(settled).toBe(false);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
    expect(settled).toBe(true);
  });
});
