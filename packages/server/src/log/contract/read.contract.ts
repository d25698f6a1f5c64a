import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import { UNBORN } from "../log.ts";
import { ALL, appendOne, attempt, attempts, eventsOf, NOW, offsetsOf, producerId, stored } from "./attempt.contract.ts";

const ROOM = "acme/room:1";
const START = { epoch: UNBORN, offset: 0, tag: "" };

/** How history is read. */
export function readContract(make: () => Promise<Log>): void {
  const readOffsets = async (log: Log, after: number, events: number, bytes = ALL.bytes) => {
    const result = await log.read(ROOM, after, { events, bytes });
    return result.kind === "run" ? offsetsOf(result.events) : result.reason;
  };

  describe("read", () => {
    it("G3: goes on from a position with all that came after it, and the head of that moment", async () => {
      const log = await make();
      const one = await stored(log, [attempt()]);
      const three = await stored(log, attempts(2, 3));
      const [head] = await log.heads([ROOM]);
      const all = await eventsOf(log);
      expect(await log.read(ROOM, one, ALL)).toEqual({ kind: "run", head, tagBefore: one.tag, events: all.slice(1) });
      expect(await log.read(ROOM, three, ALL)).toEqual({ kind: "run", head, tagBefore: three.tag, events: [] });
      const start = { epoch: "first-epoch", offset: 0, tag: "" };
      expect(await log.read(ROOM, start, ALL)).toEqual({ kind: "run", head, tagBefore: "", events: all });
      expect(await log.read(ROOM, 1, ALL)).toEqual({ kind: "run", head, tagBefore: one.tag, events: all.slice(1) });
    });

    it("G3: resets from a position of another epoch, of a rewritten history, and from one ahead", async () => {
      const log = await make();
      const { epoch, offset, tag } = await stored(log, attempts(1, 3));
      const [head] = await log.heads([ROOM]);
      const reasonFrom = async (position: { epoch: string; offset: number; tag: string }) => {
        const result = await log.read(ROOM, position, ALL);
        expect(result.head).toEqual(head);
        return result.kind === "reset" ? result.reason : result.kind;
      };
      expect(await reasonFrom({ epoch: "other", offset, tag })).toBe("epoch");
      expect(await reasonFrom({ epoch: "other", offset: 0, tag: "" })).toBe("epoch");
      expect(await reasonFrom({ epoch: UNBORN, offset: 1, tag })).toBe("epoch");
      expect(await reasonFrom({ epoch, offset, tag: "AAAAAAAA" })).toBe("rewritten");
      expect(await reasonFrom({ epoch, offset: 2, tag })).toBe("rewritten");
      expect(await reasonFrom({ epoch, offset: 0, tag })).toBe("rewritten");
      expect(await reasonFrom({ epoch, offset: offset + 1, tag })).toBe("ahead");
      expect(await log.read(ROOM, offset + 1, ALL)).toEqual({ kind: "reset", reason: "ahead", head });
    });

    it("G3: resets from a position before what was trimmed, and goes on from its edge", async () => {
      const log = await make();
      const two = await stored(log, attempts(1, 2));
      await stored(log, attempts(3, 5));
      const { epoch, tag } = two;
      await log.trim(ROOM, { count: 3 });
      expect(await log.read(ROOM, two, ALL)).toMatchObject({ kind: "run", tagBefore: tag });
      expect(await readOffsets(log, 2, 9)).toEqual([3, 4, 5]);
      expect(await log.read(ROOM, { epoch, offset: 2, tag: "AAAAAAAA" }, ALL)).toMatchObject({ reason: "rewritten" });
      for (const after of [{ epoch, offset: 1, tag }, { epoch, offset: 0, tag: "" }, START, 0, 1]) {
        expect(await log.read(ROOM, after, ALL)).toMatchObject({ kind: "reset", reason: "trimmed" });
      }
    });

    it("goes on from before the channel's birth through any life that is kept from its start", async () => {
      const log = await make();
      const unborn = { kind: "run", tagBefore: "", events: [] };
      expect(await log.read(ROOM, START, ALL)).toMatchObject(unborn);
      expect(await log.read(ROOM, 0, ALL)).toMatchObject(unborn);
      await stored(log, attempts(1, 2));
      expect(await log.read(ROOM, START, ALL)).toMatchObject({ kind: "run", events: [{ offset: 1 }, { offset: 2 }] });
      await log.remove(ROOM);
      expect(await log.read(ROOM, START, ALL)).toMatchObject(unborn);
      await stored(log, attempts(3, 3, { birth: "second" }));
      expect(await log.read(ROOM, START, ALL)).toMatchObject({ head: { epoch: "second" }, events: [{ offset: 1 }] });
    });

    it("resets who comes with a position to a channel that is unborn", async () => {
      const log = await make();
      const born = { epoch: "first-epoch", offset: 2, tag: "AAAAAAAA" };
      expect(await log.read(ROOM, born, ALL)).toMatchObject({ kind: "reset", reason: "epoch", head: { offset: 0 } });
      expect(await log.read(ROOM, 1, ALL)).toMatchObject({ kind: "reset", reason: "ahead" });
    });

    it("takes whole runs within the bounds, and always one", async () => {
      const log = await make();
      const data = (count: number) => Array.from({ length: count }, () => `"${"x".repeat(98)}"`);
      await stored(
        log,
        [1, 3, 2, 1].map((count, index) => attempt({ seq: index + 1, data: data(count) })),
      );
      expect(await readOffsets(log, 0, 1)).toEqual([1]);
      expect(await readOffsets(log, 0, 3)).toEqual([1]);
      expect(await readOffsets(log, 0, 4)).toEqual([1, 2, 3, 4]);
      expect(await readOffsets(log, 0, 6)).toEqual([1, 2, 3, 4, 5, 6]);
      expect(await readOffsets(log, 1, 1)).toEqual([2, 3, 4]);
      expect(await readOffsets(log, 3, 1)).toEqual([4]);
      expect(await readOffsets(log, 3, 2)).toEqual([4]);
      expect(await readOffsets(log, 0, 100, 1)).toEqual([1]);
      expect(await readOffsets(log, 0, 100, 100)).toEqual([1]);
      expect(await readOffsets(log, 0, 100, 101)).toEqual([1, 2, 3, 4]);
      expect(await readOffsets(log, 0, 100, 400)).toEqual([1, 2, 3, 4]);
      expect(await readOffsets(log, 0, 100, 401)).toEqual([1, 2, 3, 4, 5, 6]);
    });

    it("counts bytes in UTF-8", async () => {
      const log = await make();
      await stored(log, attempts(1, 3, { data: ['"é€😀"'] }));
      expect(await log.heads([ROOM])).toMatchObject([{ bytes: 33, count: 3 }]);
      expect(await readOffsets(log, 0, 100, 11)).toEqual([1]);
      expect(await readOffsets(log, 0, 100, 12)).toEqual([1, 2]);
    });

    it("reads a long run whole", async () => {
      const log = await make();
      const data = Array.from({ length: 3_000 }, (_, index) => String(index));
      await stored(log, [attempt({ data }), attempt({ seq: 2 })]);
      expect(await readOffsets(log, 0, 10)).toHaveLength(3_000);
      expect((await log.page(ROOM, undefined, 2)).events).toHaveLength(3_001);
    });
  });

  describe("page", () => {
    it("goes backwards in pages that hold all that is kept", async () => {
      const log = await make();
      await stored(log, attempts(1, 10));
      await log.trim(ROOM, { count: 8 });
      const [head] = await log.heads([ROOM]);
      const all = await eventsOf(log);
      expect(await log.page(ROOM, undefined, 3)).toEqual({ head, events: all.slice(5) });
      const pages: number[][] = [];
      let before: number | undefined;
      for (;;) {
        const { events } = await log.page(ROOM, before, 3);
        if (events.length === 0) break;
        pages.push(offsetsOf(events));
        before = events[0]?.offset;
      }
      expect(pages).toEqual([
        [8, 9, 10],
        [5, 6, 7],
        [3, 4],
      ]);
      expect((await log.page(ROOM, 100, 2)).events).toEqual(all.slice(6));
      expect((await log.page(ROOM, 5, 100)).events).toEqual(all.slice(0, 2));
      expect((await log.page(ROOM, 0, 5)).events).toEqual([]);
    });

    it("does not cut a run at its start", async () => {
      const log = await make();
      await stored(log, [attempt(), attempt({ seq: 2, data: ["1", "2", "3"] }), attempt({ seq: 3 })]);
      expect(offsetsOf((await log.page(ROOM, undefined, 2)).events)).toEqual([2, 3, 4, 5]);
      expect(offsetsOf((await log.page(ROOM, 4, 1)).events)).toEqual([2, 3]);
    });

    it("is empty for an unborn channel", async () => {
      const log = await make();
      expect(await log.page(ROOM, undefined, 10)).toMatchObject({ head: { epoch: UNBORN, offset: 0 }, events: [] });
    });
  });

  describe("heads and channels", () => {
    it("tells heads in the order asked, of unborn channels too", async () => {
      const log = await make();
      await stored(log, [attempt(), attempt({ seq: 2, data: ["12", "345"], now: NOW + 1 })]);
      const [, , third] = await eventsOf(log);
      const unborn = { epoch: UNBORN, offset: 0, tag: "", first: 1, time: 0, count: 0, bytes: 0 };
      const born = { epoch: "first-epoch", offset: 3, tag: third?.tag, first: 1, time: NOW + 1, count: 3, bytes: 8 };
      const rest = { archived: false, revision: 0 };
      expect(await log.heads(["acme/room:9", ROOM, "acme/room:9", ROOM])).toEqual([
        { channel: "acme/room:9", ...unborn, ...rest },
        { channel: ROOM, ...born, ...rest },
        { channel: "acme/room:9", ...unborn, ...rest },
        { channel: ROOM, ...born, ...rest },
      ]);
      expect(await log.heads([])).toEqual([]);
    });

    it("tells the heads of thousands of channels at once", async () => {
      const log = await make();
      await stored(log, [attempt({ channel: "acme/room:1999" })]);
      const names = Array.from({ length: 2_000 }, (_, index) => `acme/room:${index}`);
      const heads = await log.heads(names);
      expect(heads.map((head) => head.channel)).toEqual(names);
      expect(heads.at(-1)).toMatchObject({ offset: 1 });
    });

    it("lists channels that were born or archived, in pages by key", async () => {
      const log = await make();
      for (const name of ["b/room:1", "a/room:2", "a/room:10", "a/vote:1"]) await appendOne(log, { channel: name });
      await appendOne(log, {
        channel: "a/room:refused",
        producer: producerId("r"),
        refusal: { code: "forbidden", message: "No." },
      });
      await log.archive("c/room:1", true);
      await log.remove("a/vote:1");
      const keys = async (after: string | undefined, limit: number) =>
        (await log.channels(after, limit)).map((head) => head.channel);
      expect(await keys(undefined, 10)).toEqual(["a/room:10", "a/room:2", "b/room:1", "c/room:1"]);
      expect(await keys(undefined, 2)).toEqual(["a/room:10", "a/room:2"]);
      expect(await keys("a/room:2", 2)).toEqual(["b/room:1", "c/room:1"]);
      expect(await log.channels("a/room:2", 1)).toEqual(await log.heads(["b/room:1"]));
    });
  });
}
