import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import { UNBORN } from "../log.ts";
import { ALL, appendOne, attempt, attempts, eventsOf, NOW, offsetsOf, stored } from "./attempt.contract.ts";

const ROOM = "acme/room:1";

/** What changes or ends what is stored. */
export function upkeepContract(make: () => Promise<Log>): void {
  describe("trim", () => {
    it("trims by count, from the front, to the head that it returns", async () => {
      const log = await make();
      await stored(log, attempts(1, 6));
      const before = await eventsOf(log);
      const head = await log.trim(ROOM, { count: 2 });
      expect(head).toMatchObject({ first: 5, offset: 6, count: 2, bytes: 6 });
      expect(await log.heads([ROOM])).toEqual([head]);
      expect(await eventsOf(log)).toEqual(before.slice(4));
      expect(await log.trim(ROOM, { count: 2 })).toEqual(head);
      expect(await log.trim(ROOM, {})).toEqual(head);
      expect(await appendOne(log, { seq: 7 })).toMatchObject({ offset: 7, tagBefore: head.tag });
    });

    it("trims by bytes and by age, whichever asks for more", async () => {
      const log = await make();
      await stored(
        log,
        [1, 2, 3, 4, 5].map((seq) => attempt({ seq, data: ["1234567890"], now: NOW + seq })),
      );
      expect(await log.trim(ROOM, { bytes: 45 })).toMatchObject({ first: 2, bytes: 40 });
      expect(await log.trim(ROOM, { before: NOW + 3, bytes: 40 })).toMatchObject({ first: 3 });
      expect(await log.trim(ROOM, { before: NOW + 1, count: 2, bytes: 25 })).toMatchObject({ first: 4, count: 2 });
    });

    it("trims whole runs only, and the newest stays whatever the bounds say", async () => {
      const log = await make();
      const data = ["1", "2", "3"];
      await stored(log, [attempt({ data }), attempt({ seq: 2 }), attempt({ seq: 3, data })]);
      expect(await log.trim(ROOM, { count: 6 })).toMatchObject({ first: 4, count: 4 });
      expect(await log.trim(ROOM, { count: 0, bytes: 0, before: NOW + 1 })).toMatchObject({ first: 5, count: 3 });
      expect(offsetsOf(await eventsOf(log))).toEqual([5, 6, 7]);
    });

    it("trims a long history", async () => {
      const log = await make();
      for (let seq = 1; seq <= 5_000; seq += 1_000) await stored(log, attempts(seq, seq + 999));
      expect(await log.trim(ROOM, { count: 3 })).toMatchObject({ first: 4_998, count: 3 });
      expect(offsetsOf(await eventsOf(log))).toEqual([4_998, 4_999, 5_000]);
    });

    it("leaves an unborn channel unborn", async () => {
      const log = await make();
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ epoch: UNBORN, first: 1, offset: 0 });
    });
  });

  describe("redact", () => {
    it("erases one payload for good: the offset, the id and the tags stay", async () => {
      const log = await make();
      await stored(log, attempts(1, 3));
      const before = await eventsOf(log);
      expect(await log.redact(ROOM, 2)).toBe(true);
      const after = before.map((event) => (event.offset === 2 ? { ...event, data: undefined } : event));
      expect(await eventsOf(log)).toEqual(after);
      expect((await log.page(ROOM, undefined, 3)).events).toEqual(after);
      expect(await log.heads([ROOM])).toMatchObject([{ revision: 1, count: 3, bytes: 6 }]);
      expect(await log.redact(ROOM, 2)).toBe(true);
      expect(await log.heads([ROOM])).toMatchObject([{ revision: 1 }]);
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 3, bytes: 3 });
    });

    it("says when there is no such event (any more)", async () => {
      const log = await make();
      expect(await log.redact(ROOM, 1)).toBe(false);
      await stored(log, attempts(1, 3));
      await log.trim(ROOM, { count: 1 });
      for (const offset of [0, 1, 2, 4]) expect(await log.redact(ROOM, offset)).toBe(false);
      expect(await log.heads([ROOM])).toMatchObject([{ revision: 0 }]);
    });
  });

  describe("archive", () => {
    it("refuses appends for good while a channel is archived, and reads on", async () => {
      const log = await make();
      await stored(log, [attempt()]);
      expect(await log.archive(ROOM, true)).toMatchObject({ archived: true, revision: 1, offset: 1 });
      expect(await appendOne(log, { seq: 2 })).toMatchObject({
        kind: "refused",
        refusal: { code: "channel-archived" },
      });
      expect(await appendOne(log, { seq: 1 })).toMatchObject({ kind: "settled", outcome: { kind: "committed" } });
      expect(offsetsOf(await eventsOf(log))).toEqual([1]);
      expect(await log.archive(ROOM, true)).toMatchObject({ archived: true, revision: 1 });
      expect(await log.archive(ROOM, false)).toMatchObject({ archived: false, revision: 2 });
      expect(await appendOne(log, { seq: 2 })).toMatchObject({ kind: "settled", outcome: { kind: "refused" } });
      await stored(log, [attempt({ seq: 3 })]);
    });

    it("archives an unborn channel", async () => {
      const log = await make();
      expect(await log.archive(ROOM, true)).toMatchObject({ epoch: UNBORN, offset: 0, archived: true });
      expect(await appendOne(log)).toMatchObject({ kind: "refused" });
    });
  });

  describe("remove", () => {
    it("ends a life; the next append begins another epoch, and marks stay", async () => {
      const log = await make();
      const position = await stored(log, attempts(1, 2));
      await log.remove(ROOM);
      expect(await log.heads([ROOM])).toMatchObject([
        { epoch: UNBORN, offset: 0, first: 1, count: 0, bytes: 0, time: 0 },
      ]);
      expect(await eventsOf(log)).toEqual([]);
      expect(await log.read(ROOM, position, ALL)).toMatchObject({ kind: "reset", reason: "epoch" });
      expect(await appendOne(log, { seq: 2 })).toEqual({ kind: "settled", outcome: { kind: "committed", position } });
      const reborn = await appendOne(log, { seq: 3, birth: "second", now: NOW - 9 });
      expect(reborn).toMatchObject({ kind: "committed", epoch: "second", offset: 1, tagBefore: "", time: NOW - 9 });
      expect(await log.read(ROOM, position, ALL)).toMatchObject({ kind: "reset", reason: "epoch" });
      expect(await log.heads([ROOM])).toMatchObject([{ epoch: "second", revision: 1 }]);
    });

    it("ends an archived channel's life too, and leaves alone what is not there", async () => {
      const log = await make();
      await log.remove(ROOM);
      await log.archive(ROOM, true);
      await log.remove(ROOM);
      expect(await log.heads([ROOM])).toMatchObject([{ archived: false, revision: 2 }]);
      await log.remove(ROOM);
      expect(await log.heads([ROOM])).toMatchObject([{ revision: 2 }]);
      await stored(log, [attempt()]);
    });
  });

  describe("consumers", () => {
    it("keeps a position per name and channel", async () => {
      const log = await make();
      const position = { epoch: "first-epoch", offset: 3, tag: "AAAAAAAA" };
      expect(await log.loadConsumer("mailer", ROOM)).toBeUndefined();
      await log.saveConsumer({ name: "mailer", channel: ROOM, position });
      await log.saveConsumer({ name: "mailer", channel: "acme/room:2", position: { ...position, offset: 4 } });
      await log.saveConsumer({ name: "search", channel: ROOM, position: { ...position, offset: 5 } });
      expect(await log.loadConsumer("mailer", ROOM)).toEqual(position);
      await log.saveConsumer({ name: "mailer", channel: ROOM, position: { ...position, offset: 9 } });
      expect(await log.loadConsumer("mailer", ROOM)).toEqual({ ...position, offset: 9 });
      expect(await log.loadConsumer("mailer", "acme/room:2")).toEqual({ ...position, offset: 4 });
      expect(await log.loadConsumer("search", ROOM)).toEqual({ ...position, offset: 5 });
    });
  });

  describe("close", () => {
    it("finishes what was begun, then refuses", async () => {
      const log = await make();
      const begun = log.append(attempts(1, 10));
      await log.close();
      expect((await begun).map((result) => result.kind)).toEqual(Array(10).fill("committed"));
      expect(log.health()).toMatchObject({ writable: false });
      await expect(log.append([attempt({ seq: 11 })])).rejects.toMatchObject({ code: "storage-unavailable" });
      await expect(log.read(ROOM, 0, ALL)).rejects.toMatchObject({ code: "storage-unavailable" });
      await log.close();
    });
  });
}
