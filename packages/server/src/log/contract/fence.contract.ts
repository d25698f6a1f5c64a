import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import { appendOne, attempt, DAY, NOW, producerId, stored } from "./attempt.contract.ts";
import { Story } from "./story.contract.ts";

const ROOM = "acme/room:1";

/** The fencing tokens that the log keeps of locks. */
export function fenceContract(make: () => Promise<Log>): void {
  describe("fences", () => {
    const fence = (token: number) => ({ name: "locks/door", token });

    it("M3: a write under another token than the newest is refused for good", async () => {
      const log = await make();
      const locks = new Story("locks");
      expect(await appendOne(log, { fence: fence(0) })).toMatchObject({
        kind: "refused",
        refusal: { code: "stale-fence" },
      });
      await stored(log, [locks.next({ fences: [fence(7)] }), attempt({ seq: 2, fence: fence(7) })]);
      await stored(log, [locks.next({ fences: [fence(9)] })]);
      const stale = { kind: "refused", refusal: { code: "stale-fence" } };
      expect(await appendOne(log, { seq: 3, fence: fence(7) })).toMatchObject(stale);
      expect(await appendOne(log, { seq: 4, fence: fence(10) })).toMatchObject(stale);
      await stored(log, [locks.next({ fences: [fence(10)] })]);
      // Its token is right by now: it was refused all the same.
      expect(await appendOne(log, { seq: 4, fence: fence(10) })).toMatchObject({ kind: "settled", outcome: stale });
      await stored(log, [attempt({ seq: 5, fence: fence(10) })]);
      expect(await log.append([{ ...locks.wrong("AAAAAAAA"), fence: fence(1) }])).toMatchObject([stale]);
    });

    it("M3: tokens never go back, also not over the lives of a channel", async () => {
      const log = await make();
      const locks = new Story("locks");
      await stored(log, [
        locks.next({ fences: [fence(5), fence(3), { name: "locks/gate", token: 0 }] }),
        locks.next({ fences: [fence(4), fence(5)] }, { data: [] }),
        attempt({ fence: fence(5) }),
        attempt({ seq: 2, fence: { name: "locks/gate", token: 0 } }),
      ]);
      expect(await appendOne(log, { seq: 3, channel: "acme/room:2", fence: fence(5) })).not.toMatchObject({
        kind: "committed",
      });
      await log.remove(ROOM);
      await log.forgetProducers(NOW + 90 * DAY);
      const after = { now: NOW + 90 * DAY, producer: producerId("n", NOW + 90 * DAY) };
      // Nobody holds it in the next life: also not who held it last.
      expect(await appendOne(log, { ...after, fence: fence(5) })).toMatchObject({ kind: "refused" });
      const next = new Story("locks", "m", after.now);
      await stored(log, [next.next({ fences: [fence(4), { name: "locks/other", token: 5 }] }, { now: after.now })]);
      for (const [seq, one] of [fence(4), { name: "locks/other", token: 5 }].entries()) {
        expect(await appendOne(log, { ...after, seq: seq + 2, fence: one })).toMatchObject({ kind: "refused" });
      }
      await stored(log, [
        next.next({ fences: [fence(6)] }, { now: after.now }),
        attempt({ ...after, seq: 4, fence: fence(6) }),
      ]);
    });

    it("M3: a lock that is free takes no write under any token, and none of its model's later tokens is below the one of its end", async () => {
      const log = await make();
      const locks = new Story("locks");
      const [gate, stale] = [{ name: "locks/gate", token: 8 }, { kind: "refused" }];
      await stored(log, [locks.next({ fences: [fence(5)] }), locks.next({ fences: [gate] })]);
      await stored(log, [locks.next({ fences: [{ ...fence(9), free: true }] })]);
      for (const [at, token] of [5, 9].entries()) {
        expect(await appendOne(log, { seq: at + 1, fence: fence(token) })).toMatchObject(stale);
      }
      // The other one is held as before.
      await stored(log, [attempt({ seq: 3, fence: gate })]);
      await stored(log, [locks.next({ fences: [fence(5), { name: "locks/new", token: 9 }] })]);
      expect(await appendOne(log, { seq: 4, fence: fence(5) })).toMatchObject(stale);
      expect(await appendOne(log, { seq: 5, fence: { name: "locks/new", token: 9 } })).toMatchObject(stale);
      // An end that comes late ends nothing.
      await stored(log, [locks.next({ fences: [fence(10)] }), locks.next({ fences: [{ ...fence(10), free: true }] })]);
      await stored(log, [attempt({ seq: 6, fence: fence(10) })]);
      // Other models count for themselves.
      const jobs = new Story("jobs", "j");
      await stored(log, [jobs.next({ fences: [{ name: "jobs/a", token: 1 }] })]);
      await stored(log, [attempt({ seq: 7, fence: { name: "jobs/a", token: 1 } })]);
    });
  });
}
