import { describe, expect, it } from "vitest";
import { ALL, appendOne, attempt, attempts, eventsOf, stored } from "./contract/attempt.contract.ts";
import { logContract } from "./log.contract.ts";
import type { SealingKey } from "./log.ts";
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

  it("goes back to a snapshot with its models: tags, deadlines, fences, keys and snapshots", async () => {
    const store = new MemoryStore();
    const log = createMemoryLog({ store });
    const [channel, name] = ["acme/room:1", "votes"];
    const key = { name: "one", key: "k" };
    const append = (seq: number, expect: string, deadline: number, token: number, key: SealingKey) =>
      attempt({
        seq,
        model: {
          name,
          expect,
          decision: "first",
          deadline,
          fences: [{ name: "votes/a", token }],
          keys: { create: [key], destroy: [] },
        },
      });
    const position = await stored(log, [append(1, "", 5, 1, key)]);
    const head = { channel, model: name, version: 1, position, tag: position.tag };
    await log.saveSnapshot(head, ["1"]);
    const snapshot = store.snapshot();
    const later = await stored(log, [append(2, position.tag, 6, 2, { ...key, key: "other" })]);
    await log.saveSnapshot({ ...head, position: later, tag: later.tag }, []);
    store.restore(snapshot);
    expect(await log.deadlines(9)).toEqual([{ channel, model: name, at: 5 }]);
    expect((await log.keys(channel, name)).keys).toEqual([key]);
    expect(await log.snapshots(channel, name)).toEqual([{ ...head, pieces: 1 }]);
    expect(await log.snapshotPiece(head, 0)).toBe("1");
    expect(await appendOne(log, { seq: 2, fence: { name: "votes/a", token: 2 } })).toMatchObject({ kind: "refused" });
    await stored(log, [append(3, position.tag, 7, 2, key)]);
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
