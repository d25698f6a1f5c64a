import { describe, expect, it } from "vitest";
import type { Log, ModelAppend } from "../log.ts";
import { attempt, DAY, eventsOf, NOW, stored } from "./attempt.contract.ts";
import { Story } from "./story.contract.ts";

const ROOM = "acme/room:1";

/** What the log keeps of models beside their events. */
export function modelContract(make: () => Promise<Log>): void {
  describe("a model's history", () => {
    it("M1: is known by a tag over the ids of the model's own events", async () => {
      const log = await make();
      const [votes, board] = [new Story("votes", "v"), new Story("board", "b")];
      await stored(log, [votes.next(), attempt(), votes.next({}, { data: ["1", "2"] }), board.next()]);
      await stored(log, [attempt({ seq: 2 }), board.next(), votes.next()]);
      expect(await log.append([votes.wrong("")])).toEqual([{ kind: "conflict", tag: votes.tag }]);
      expect(await log.append([board.wrong(votes.tag)])).toEqual([{ kind: "conflict", tag: board.tag }]);
      await stored(log, [votes.next()]);
    });

    it("M1: runs that follow each other go into one batch, each on the tag that the one before it makes", async () => {
      const log = await make();
      const votes = new Story();
      await stored(
        log,
        Array.from({ length: 50 }, () => votes.next()),
      );
      expect(await eventsOf(log)).toHaveLength(50);
    });

    it("M1: a conflict settles nothing, and holds what its producer sent after it", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [votes.next()]);
      const other = new Story("votes", "o");
      const [first, second] = [other.next(), other.next()];
      const results = await log.append([first, second]);
      expect(results).toEqual([
        { kind: "conflict", tag: votes.tag },
        { kind: "out-of-sequence", expected: 1 },
      ]);
      expect(await eventsOf(log)).toHaveLength(1);
      const again = { ...first, model: { name: "votes", expect: votes.tag, decision: "first", deadline: undefined } };
      expect(await log.append([again])).toMatchObject([{ kind: "committed", offset: 2 }]);
      expect(await log.append([again])).toMatchObject([{ kind: "settled" }]);
    });

    it("M1: a model's refusal on another history is no refusal, and settles nothing", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [votes.next()]);
      const refusal = { code: "rejected", message: "no", reason: { code: "full" } } as const;
      const late = { ...new Story("votes", "o").next({}, { data: [] }), refusal };
      expect(await log.append([late])).toEqual([{ kind: "conflict", tag: votes.tag }]);
      const again = { ...late, model: { name: "votes", expect: votes.tag, decision: "first", deadline: NOW } };
      expect(await log.append([again])).toEqual([{ kind: "refused", refusal }]);
      expect(await log.append([late])).toEqual([{ kind: "settled", outcome: { kind: "refused", refusal } }]);
      expect(await log.deadlines(9)).toEqual([]);
    });

    it("M1: begins anew with the channel's life", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [votes.next()]);
      await log.remove(ROOM);
      expect(await log.append([votes.wrong(votes.tag)])).toEqual([{ kind: "conflict", tag: "" }]);
      votes.tag = "";
      await stored(log, [votes.next({}, { birth: "second" })]);
    });

    it("M1: is told after an archived channel's refusal, which is final", async () => {
      const log = await make();
      const votes = new Story();
      await log.archive(ROOM, true);
      expect(await log.append([votes.wrong("AAAAAAAA")])).toMatchObject([
        { kind: "refused", refusal: { code: "channel-archived" } },
      ]);
    });

    it("M1: a command decided again is another event: what was decided on the first decision is not stored on the second", async () => {
      const log = await make();
      const [first, again, other] = [new Story(), new Story(), new Story("votes", "o")];
      await stored(log, [first.next()]);
      const retried = again.next({ decision: "second" });
      other.tag = again.tag;
      const results = await log.append([retried, other.next()]);
      expect(results).toMatchObject([{ kind: "settled" }, { kind: "conflict", tag: first.tag }]);
    });

    it("M1: events that would get another time than they were decided for are a conflict; without events no time counts", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [attempt({ now: NOW + 5 })]);
      expect(await log.append([votes.next({}, { now: NOW + 4 })])).toEqual([{ kind: "conflict", tag: "" }]);
      const again = new Story();
      await stored(log, [again.next({}, { now: NOW + 5 }), again.next({}, { now: NOW + 4, data: [] })]);
      const [event] = (await eventsOf(log)).slice(-1);
      expect(event?.time).toBe(NOW + 5);
    });

    it("is not changed by an empty decision", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [votes.next({}, { data: [] }), votes.next(), votes.next({}, { data: [] }), votes.next()]);
      expect(await eventsOf(log)).toHaveLength(2);
    });
  });

  describe("deadlines", () => {
    it("M2: are set, moved and cleared with the append, and told in order of their time", async () => {
      const log = await make();
      const [votes, board] = [new Story("votes", "v"), new Story("board", "b")];
      const other = new Story("votes", "o");
      const at = (channel: string, model: string, after: number) => ({ channel, model, at: NOW + after });
      expect(await log.deadlines(9)).toEqual([]);
      await stored(log, [
        votes.next({ deadline: NOW + 30 }),
        board.next({ deadline: NOW + 10 }, { data: [] }),
        other.next({ deadline: NOW + 20 }, { channel: "acme/room:2" }),
      ]);
      const all = [at(ROOM, "board", 10), at("acme/room:2", "votes", 20), at(ROOM, "votes", 30)];
      expect(await log.deadlines(9)).toEqual(all);
      expect(await log.deadlines(2)).toEqual(all.slice(0, 2));
      await stored(log, [board.next({ deadline: NOW + 25 }, { data: [] }), votes.next()]);
      expect(await log.deadlines(9)).toEqual([at("acme/room:2", "votes", 20), at(ROOM, "board", 25)]);
      await log.append([board.wrong("AAAAAAAA"), attempt({ refusal: { code: "forbidden", message: "No." } })]);
      expect(await log.deadlines(9)).toHaveLength(2);
    });

    it("M2: of archived channels wait, and those of a removed one are gone", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [votes.next({ deadline: NOW + 30 })]);
      await log.archive(ROOM, true);
      expect(await log.deadlines(9)).toEqual([]);
      await log.archive(ROOM, false);
      expect(await log.deadlines(9)).toHaveLength(1);
      await log.remove(ROOM);
      expect(await log.deadlines(9)).toEqual([]);
    });

    it("M2: of a channel without events are gone with it, too", async () => {
      const log = await make();
      await stored(log, [new Story().next({ deadline: NOW, keys: { create: [KEY], destroy: [] } }, { data: [] })]);
      await log.forgetProducers(NOW + 90 * DAY);
      expect(await log.deadlines(9)).toHaveLength(1);
      await log.remove(ROOM);
      expect(await log.deadlines(9)).toEqual([]);
      expect((await log.keys(ROOM, "votes")).keys).toEqual([]);
      expect(await log.heads([ROOM])).toMatchObject([{ revision: 0 }]);
    });
  });

  describe("keys", () => {
    it("M4: are created and destroyed with the append, each model's apart", async () => {
      const log = await make();
      const [votes, board] = [new Story("votes", "v"), new Story("board", "b")];
      const [one, two] = [KEY, { name: "a", key: "another" }];
      await stored(log, [votes.next({ keys: { create: [one, two], destroy: [] } })]);
      await stored(log, [board.next({ keys: { create: [{ ...one, key: "board's" }], destroy: [] } })]);
      expect((await log.keys(ROOM, "votes")).keys).toEqual([two, one]);
      const conflict = votes.wrong("AAAAAAAA");
      await log.append([
        { ...conflict, model: { ...(conflict.model as ModelAppend), keys: { create: [], destroy: ["ballot"] } } },
      ]);
      expect((await log.keys(ROOM, "votes")).keys).toEqual([two, one]);
      await stored(log, [
        votes.next({ keys: { create: [{ name: "c", key: "brief" }], destroy: ["ballot", "c", "x"] } }),
      ]);
      expect((await log.keys(ROOM, "votes")).keys).toEqual([two]);
      await stored(log, [votes.next({ keys: { create: [{ name: "a", key: "new" }], destroy: [] } }, { data: [] })]);
      expect((await log.keys(ROOM, "votes")).keys).toEqual([{ name: "a", key: "new" }]);
      expect((await log.keys(ROOM, "board")).keys).toEqual([{ ...one, key: "board's" }]);
      expect((await log.keys("acme/room:2", "votes")).keys).toEqual([]);
      await log.remove(ROOM);
      expect((await log.keys(ROOM, "votes")).keys).toEqual([]);
      expect((await log.keys(ROOM, "board")).keys).toEqual([]);
    });
  });
}

const KEY = { name: "ballot", key: "k".repeat(43) };
