import { chainTag, eventId } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import { UNBORN } from "../log.ts";
import { appendOne, attempt, attempts, eventsOf, NOW, offsetsOf, producerId, stored } from "./attempt.contract.ts";

const ROOM = "acme/room:1";

/** What an append stores. */
export function appendContract(make: () => Promise<Log>): void {
  describe("append", () => {
    it("stores events with contiguous offsets from 1, ids of their producer, and a chain of tags", async () => {
      const log = await make();
      const first = await appendOne(log, { data: ['{"text":"hello"}'] });
      const second = await appendOne(log, { seq: 2, data: ["2", "3"], now: NOW + 5 });
      const ids = [eventId(producerId("a"), 1, 0), eventId(producerId("a"), 2, 0), eventId(producerId("a"), 2, 1)];
      const tags = [chainTag("", ids[0] ?? "")];
      tags.push(chainTag(tags[0] ?? "", ids[1] ?? ""));
      tags.push(chainTag(tags[1] ?? "", ids[2] ?? ""));
      expect(first).toEqual({
        kind: "committed",
        epoch: "first-epoch",
        offset: 1,
        time: NOW,
        tags: [tags[0]],
        tagBefore: "",
      });
      expect(second).toEqual({
        kind: "committed",
        epoch: "first-epoch",
        offset: 2,
        time: NOW + 5,
        tags: [tags[1], tags[2]],
        tagBefore: tags[0],
      });
      const common = { type: "said", version: 1, author: "ann", trace: undefined };
      expect(await eventsOf(log)).toEqual([
        { ...common, offset: 1, id: ids[0], time: NOW, data: '{"text":"hello"}', tag: tags[0], run: 1 },
        { ...common, offset: 2, id: ids[1], time: NOW + 5, data: "2", tag: tags[1], run: 2 },
        { ...common, offset: 3, id: ids[2], time: NOW + 5, data: "3", tag: tags[2], run: 2 },
      ]);
    });

    it("keeps payload, version, author and trace as they were given", async () => {
      const log = await make();
      const data = JSON.stringify({ text: "línea\u0000 \u2028 😀 'quoted' \"", n: -0.5e-7, deep: [[[null]]] });
      const event = { type: "drawn", version: 7, data, author: undefined, trace: "00-abc-def-01" };
      await stored(log, [{ ...attempt(), events: [event] }]);
      expect(await eventsOf(log)).toMatchObject([event]);
    });

    it("takes several appends of one channel and one producer in one batch, in the order given", async () => {
      const log = await make();
      const batch = [
        attempt({ seq: 1 }),
        attempt({ seq: 1, channel: "acme/room:2" }),
        attempt({ seq: 1, producer: producerId("b") }),
        attempt({ seq: 2, data: ["1", "2"] }),
        attempt({ seq: 2, channel: "acme/room:2" }),
      ];
      const results = await log.append(batch);
      expect(results.map((result) => result.kind === "committed" && result.offset)).toEqual([1, 1, 2, 3, 2]);
      expect((await eventsOf(log)).map((event) => event.run)).toEqual([1, 2, 3, 3]);
      expect(offsetsOf(await eventsOf(log, "acme/room:2"))).toEqual([1, 2]);
    });

    it("answers every append of a batch in its place, settled or not", async () => {
      const log = await make();
      const late = { name: "votes", expect: "AAAAAAAA", decision: "first", deadline: undefined };
      const batch = [attempt(), attempt({ seq: 3 }), attempt(), attempt({ seq: 2, model: late }), attempt({ seq: 2 })];
      const results = await log.append(batch);
      expect(results.map((result) => result.kind)).toEqual([
        "committed",
        "out-of-sequence",
        "settled",
        "conflict",
        "committed",
      ]);
    });

    it("G1: keeps the order of calls that were made at once", async () => {
      const log = await make();
      const calls = attempts(1, 200).map((append) => log.append([append]));
      const results = (await Promise.all(calls)).flat();
      expect(results.map((result) => result.kind === "committed" && result.offset)).toEqual(
        results.map((_, index) => index + 1),
      );
      expect(await eventsOf(log)).toHaveLength(200);
    });

    it("lets event time never fall along a channel", async () => {
      const log = await make();
      await stored(log, [attempt({ now: NOW })]);
      expect(await appendOne(log, { seq: 2, now: NOW - 60_000 })).toMatchObject({ time: NOW });
      expect(await appendOne(log, { seq: 3, now: NOW + 1 })).toMatchObject({ time: NOW + 1 });
      expect((await eventsOf(log)).map((event) => event.time)).toEqual([NOW, NOW, NOW + 1]);
    });

    it("gives a channel the epoch of the append that brings it to life, and keeps it", async () => {
      const log = await make();
      expect(await appendOne(log, { birth: "one" })).toMatchObject({ epoch: "one" });
      expect(await appendOne(log, { seq: 2, birth: "two" })).toMatchObject({ epoch: "one" });
      expect(await appendOne(log, { channel: "acme/room:2", birth: "two" })).toMatchObject({ epoch: "two" });
    });

    it("G10: keeps the same channel name of two tenants apart", async () => {
      const log = await make();
      await stored(log, [attempt({ channel: "acme/room:1" }), attempt({ channel: "beta/room:1", data: ["2"] })]);
      expect((await eventsOf(log, "acme/room:1")).map((event) => event.data)).toEqual(['"1"']);
      expect((await eventsOf(log, "beta/room:1")).map((event) => event.data)).toEqual(["2"]);
    });

    it("answers an empty batch", async () => {
      const log = await make();
      expect(await log.append([])).toEqual([]);
    });

    it("settles an append without events at the head, and stores nothing", async () => {
      const log = await make();
      const unborn = { kind: "committed", epoch: UNBORN, offset: 1, time: 0, tags: [], tagBefore: "" };
      expect(await appendOne(log, { data: [], birth: "never" })).toEqual(unborn);
      expect(await log.heads([ROOM])).toMatchObject([{ epoch: UNBORN, offset: 0, time: 0, first: 1 }]);
      expect(await log.channels(undefined, 9)).toEqual([]);
      const position = await stored(log, attempts(2, 3));
      const [head] = await log.heads([ROOM]);
      expect(await stored(log, [attempt({ seq: 4, data: [], now: NOW + 9 })])).toEqual(position);
      expect(await log.heads([ROOM])).toEqual([head]);
      await stored(log, [attempt({ seq: 5 })]);
      expect(await appendOne(log, { seq: 4, data: [] })).toEqual({
        kind: "settled",
        outcome: { kind: "committed", position },
      });
      expect(await appendOne(log, { data: [] })).toMatchObject({
        outcome: { position: { epoch: UNBORN, offset: 0, tag: "" } },
      });
      expect(offsetsOf(await eventsOf(log))).toEqual([1, 2, 3]);
    });
  });
}
