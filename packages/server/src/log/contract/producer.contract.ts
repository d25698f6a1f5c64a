import { describe, expect, it } from "vitest";
import type { Log, LogBounds, Refusal } from "../log.ts";
import { appendOne, attempt, attempts, DAY, eventsOf, NOW, producerId, stored } from "./attempt.contract.ts";

const REFUSAL: Refusal = { code: "invalid-data", message: "No.", issues: [{ path: "text", message: "is missing" }] };

/** What keeps an append from taking effect twice. */
export function producerContract(make: (bounds?: Partial<LogBounds>) => Promise<Log>): void {
  describe("producers", () => {
    it("G2: a retried append takes effect once and is answered as before", async () => {
      const log = await make();
      const position = await stored(log, [attempt({ data: ["1", "2"] })]);
      const settled = { kind: "settled", outcome: { kind: "committed", position } };
      expect(await appendOne(log, { data: ["1", "2"] })).toEqual(settled);
      await stored(log, [attempt({ seq: 2 })]);
      const model = { name: "votes", expect: "AAAAAAAA", decision: "first", deadline: undefined };
      expect(await appendOne(log, { data: ["1", "2"], model, now: NOW + DAY, birth: "other" })).toEqual(settled);
      expect(await eventsOf(log)).toHaveLength(3);
    });

    it("G2: attempts made at once take effect once", async () => {
      const log = await make();
      const results = (await Promise.all(Array.from({ length: 20 }, () => log.append([attempt()])))).flat();
      expect(results.map((result) => result.kind).sort()).toEqual(["committed", ...Array(19).fill("settled")]);
      expect(await eventsOf(log)).toHaveLength(1);
    });

    it("G2: refuses another body under a used sequence number", async () => {
      const log = await make();
      await stored(log, [attempt({ data: ["1"] })]);
      expect(await appendOne(log, { data: ["2"] })).toEqual({ kind: "body-mismatch" });
      expect(await appendOne(log, { data: ["1"] })).toMatchObject({ kind: "settled" });
    });

    it("answers what is ahead of its turn with the number it waits for, and settles nothing", async () => {
      const log = await make();
      expect(await appendOne(log, { seq: 2 })).toEqual({ kind: "out-of-sequence", expected: 1 });
      await stored(log, attempts(1, 3));
      expect(await appendOne(log, { seq: 5 })).toEqual({ kind: "out-of-sequence", expected: 4 });
      await stored(log, attempts(4, 5));
    });

    it("advances the mark past a final refusal, and answers it again", async () => {
      const log = await make();
      expect(await appendOne(log, { refusal: REFUSAL })).toEqual({ kind: "refused", refusal: REFUSAL });
      expect(await appendOne(log, { data: ["1"] })).toEqual({ kind: "body-mismatch" });
      const again = await appendOne(log, { refusal: REFUSAL });
      expect(again).toEqual({ kind: "settled", outcome: { kind: "refused", refusal: REFUSAL } });
      expect(await eventsOf(log)).toEqual([]);
      expect(await appendOne(log, { seq: 2 })).toMatchObject({ kind: "committed", offset: 1 });
    });

    it("answers an earlier outcome before it looks at a refusal", async () => {
      const log = await make();
      const position = await stored(log, [attempt()]);
      const { producer, ...rest } = attempt();
      const [again] = await log.append([{ ...rest, producer, events: [], refusal: REFUSAL }]);
      expect(again).toEqual({ kind: "settled", outcome: { kind: "committed", position } });
    });

    it("keeps producers apart by channel, by user and by tenant", async () => {
      const log = await make();
      await stored(log, [
        attempt(),
        attempt({ channel: "acme/room:2" }),
        attempt({ user: "bob" }),
        attempt({ channel: "beta/room:1" }),
        attempt({ user: "bob/room:1" }),
      ]);
    });

    it("keeps the outcomes of the in-flight window: older ones are unknown", async () => {
      const log = await make({ outcomes: 4 });
      await stored(log, attempts(1, 3));
      await log.append([attempt({ seq: 4, refusal: REFUSAL })]);
      await stored(log, attempts(5, 6));
      const results = await log.append(attempts(1, 6, { now: NOW + 1 }));
      expect(results.map((result) => result.kind)).toEqual([
        "unknown",
        "unknown",
        "settled",
        "settled",
        "settled",
        "settled",
      ]);
      expect(results[3]).toMatchObject({ outcome: { kind: "refused" } });
      expect(await eventsOf(log)).toHaveLength(5);
    });

    it("keeps 256 outcomes by default", async () => {
      const log = await make();
      await stored(log, attempts(1, 257));
      expect(await appendOne(log, { seq: 1 })).toEqual({ kind: "unknown" });
      expect(await appendOne(log, { seq: 2 })).toMatchObject({ kind: "settled" });
    });

    it("G11: bounds the marks of one user of one tenant", async () => {
      const log = await make({ marksPerUser: 2 });
      await stored(log, [attempt(), attempt({ channel: "acme/room:2" })]);
      expect(await appendOne(log, { channel: "acme/room:3" })).toEqual({ kind: "producer-quota" });
      expect(await appendOne(log, { producer: producerId("b") })).toEqual({ kind: "producer-quota" });
      await stored(log, [
        attempt({ seq: 2 }),
        attempt({ user: "bob", producer: producerId("c") }),
        attempt({ channel: "beta/room:3" }),
      ]);
    });

    it("G2: forgets marks that are old and unused, and never takes their producers for new ones", async () => {
      const log = await make({ marksAge: 10 * DAY, marksPerUser: 2 });
      const old = producerId("a", NOW - DAY);
      const used = producerId("b", NOW - DAY);
      await stored(log, [attempt({ producer: old }), attempt({ producer: used })]);
      await stored(log, [attempt({ producer: used, seq: 2, now: NOW + 5 * DAY })]);
      expect(await log.forgetProducers(NOW + 10 * DAY)).toBe(0);
      expect(await log.forgetProducers(NOW + 11 * DAY)).toBe(1);
      // Also on a node whose clock is behind.
      for (const now of [NOW + 11 * DAY, NOW, NOW - 20 * DAY]) {
        expect(await appendOne(log, { producer: old, now })).toEqual({ kind: "unknown" });
        expect(await appendOne(log, { producer: old, seq: 2, now })).toEqual({ kind: "unknown" });
      }
      expect(await appendOne(log, { producer: used, now: NOW + 11 * DAY })).toMatchObject({ kind: "settled" });
      expect(await eventsOf(log)).toHaveLength(3);
      // The place of the forgotten mark is free again.
      await stored(log, [attempt({ producer: producerId("c", NOW + 11 * DAY), now: NOW + 11 * DAY })]);
    });

    it("takes an old producer that never had a mark for what it is", async () => {
      const log = await make();
      await stored(log, [attempt({ producer: producerId("a", NOW - 90 * DAY) })]);
    });
  });
}
