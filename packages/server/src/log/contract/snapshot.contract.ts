import type { Position } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Log } from "../log.ts";
import type { SnapshotHead, StoredSnapshot } from "../model-log.ts";
import { attempt, attempts, eventsOf, stored } from "./attempt.contract.ts";
import { Story } from "./story.contract.ts";

const ROOM = "acme/room:1";

const headAt = (position: Position, more: Partial<SnapshotHead> = {}): SnapshotHead => ({
  channel: ROOM,
  model: "votes",
  version: 1,
  position,
  tag: "TAG",
  ...more,
});

const whole = (head: SnapshotHead, pieces = 1): StoredSnapshot => ({ ...head, pieces });

/** All pieces of a snapshot. */
async function piecesOf(log: Log, head: SnapshotHead): Promise<string[]> {
  const pieces: string[] = [];
  for (;;) {
    const piece = await log.snapshotPiece(head, pieces.length);
    if (piece === undefined) return pieces;
    pieces.push(piece);
  }
}

/** The states of models that the log keeps, and what of its history has to stay beside them. */
export function snapshotContract(make: () => Promise<Log>): void {
  describe("snapshots", () => {
    it("M5: are kept in pieces, the two newest of each model", async () => {
      const log = await make();
      const votes = new Story();
      const heads: StoredSnapshot[] = [];
      for (const count of [3, 1, 0, 2]) {
        const head = headAt(await stored(log, [votes.next()]), { tag: votes.tag, version: 1 + count });
        await log.saveSnapshot(
          head,
          Array.from({ length: count }, (_, index) => `{"piece":${index},"of":${count}}`),
        );
        heads.unshift(whole(head, count));
        expect(await log.snapshots(ROOM, "votes")).toEqual(heads.slice(0, 2));
      }
      const [newest, older, gone] = heads as [StoredSnapshot, StoredSnapshot, StoredSnapshot];
      expect(await piecesOf(log, newest)).toEqual(['{"piece":0,"of":2}', '{"piece":1,"of":2}']);
      expect(await piecesOf(log, older)).toEqual([]);
      expect(await piecesOf(log, gone)).toEqual([]);
      const board = { ...older, model: "board" };
      await log.saveSnapshot(board, ["1"]);
      expect(await log.snapshots(ROOM, "board")).toEqual([whole(board)]);
      expect(await log.snapshots(ROOM, "votes")).toEqual([newest, older]);
      expect(await log.snapshots("acme/room:2", "votes")).toEqual([]);
    });

    it("M5: one that is not newer, of another life, or of a history that is not there is thrown away", async () => {
      const log = await make();
      const old = await stored(log, attempts(1, 2));
      await log.remove(ROOM);
      const [first, second, third] = [
        await stored(log, [attempt({ seq: 3, birth: "second" })]),
        await stored(log, [attempt({ seq: 4 })]),
        await stored(log, [attempt({ seq: 5 })]),
      ];
      const kept = headAt(second);
      await log.saveSnapshot(kept, ["kept"]);
      const refused = [
        headAt(old),
        headAt({ epoch: "-", offset: 0, tag: "" }),
        headAt(first),
        { ...kept, version: 2 },
        headAt({ ...third, tag: "AAAAAAAA" }),
        headAt({ ...third, offset: 4 }),
        headAt(first, { channel: "acme/room:2" }),
      ];
      for (const head of refused) {
        await log.saveSnapshot(head, ["refused"]);
        expect(await log.snapshots(head.channel, "votes")).toEqual(head.channel === ROOM ? [whole(kept)] : []);
      }
      expect(await piecesOf(log, kept)).toEqual(["kept"]);
      await log.trim(ROOM, { count: 1 });
      await log.saveSnapshot({ ...headAt(first), model: "board" }, ["trimmed"]);
      expect(await log.snapshots(ROOM, "board")).toEqual([]);
    });

    it("M5: those that came of an event that is erased go with it, where the model can be told again without them", async () => {
      const log = await make();
      const event = (text: string) => ({
        type: "votes.said",
        version: 1,
        data: text,
        author: undefined,
        trace: undefined,
      });
      const votes = new Story();
      const saved: StoredSnapshot[] = [];
      for (let at = 0; at < 4; at++) {
        saved.push(whole(headAt(await stored(log, [{ ...votes.next(), events: [event(`${at}`)] }]))));
        if (at === 1 || at === 3) await log.saveSnapshot(saved[at] as StoredSnapshot, [`state ${at}`]);
      }
      await log.redact(ROOM, 3);
      expect(await log.snapshots(ROOM, "votes")).toEqual([saved[1]]);
      expect(await piecesOf(log, saved[3] as StoredSnapshot)).toEqual([]);
      await log.saveSnapshot(saved[3] as StoredSnapshot, ["again"]);
      await log.trim(ROOM, { count: 1 });
      // What came before is not there any more: what is stored is all that is known of it.
      await log.redact(ROOM, 3);
      expect(await log.snapshots(ROOM, "votes")).toEqual([saved[3], saved[1]]);
    });

    it("M5: are gone with the channel's life", async () => {
      const log = await make();
      const head = headAt(await stored(log, [new Story().next()]));
      await log.saveSnapshot(head, ["1"]);
      await log.remove(ROOM);
      expect(await log.snapshots(ROOM, "votes")).toEqual([]);
      expect(await log.snapshotPiece(head, 0)).toBeUndefined();
      await stored(log, [attempt({ birth: "second" })]);
      expect(await log.snapshots(ROOM, "votes")).toEqual([]);
    });

    it("M5: one whose pieces cannot be made is not seen, and the next one is", async () => {
      const log = await make();
      const first = headAt(await stored(log, [attempt()]));
      const failing = function* () {
        yield "1";
        throw new Error("no more");
      };
      await expect(log.saveSnapshot(first, failing())).rejects.toThrow("no more");
      expect(await log.snapshots(ROOM, "votes")).toEqual([]);
      expect(await log.snapshotPiece(first, 0)).toBeUndefined();
      await log.saveSnapshot(first, ["2"]);
      expect(await piecesOf(log, first)).toEqual(["2"]);
    });
  });

  describe("trim", () => {
    it("M6: keeps what follows the older of a model's two newest snapshots", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, attempts(1, 4));
      expect(await log.trim(ROOM, { count: 2 })).toMatchObject({ first: 3 });
      const one = await stored(log, [votes.next({}, { data: ["1", "2"] })]);
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 3 });
      await log.saveSnapshot(headAt(one), []);
      const two = await stored(log, [votes.next(), attempt({ seq: 5 })]);
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 3 });
      await log.saveSnapshot(headAt(two), []);
      expect(await log.trim(ROOM, { count: 5 })).toMatchObject({ first: 4 });
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 7, offset: 8 });
      const three = await stored(log, [votes.next({}, { data: ["1", "2"] })]);
      await log.saveSnapshot(headAt(three), []);
      // The newest run stays whatever the snapshots say.
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 9 });
      await stored(log, [attempt({ seq: 6 })]);
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 9, offset: 11 });
    });

    it("M6: keeps a run whole that a snapshot's position lies in", async () => {
      const log = await make();
      const votes = new Story();
      await stored(log, [votes.next(), votes.next({}, { data: ["1", "2"] }), attempt()]);
      const events = await eventsOf(log);
      for (const { offset, tag } of events.slice(1, 3)) {
        await log.saveSnapshot(headAt({ epoch: "first-epoch", offset, tag }), []);
      }
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 2 });
    });

    it("M6: every model that has events counts, and none that has not", async () => {
      const log = await make();
      const [votes, board] = [new Story("votes", "v"), new Story("board", "b")];
      await stored(log, [votes.next({}, { data: [] }), ...attempts(1, 3)]);
      expect(await log.trim(ROOM, { count: 2 })).toMatchObject({ first: 2 });
      await stored(log, [board.next(), votes.next()]);
      for (const seq of [4, 5]) await log.saveSnapshot(headAt(await stored(log, [attempt({ seq })])), []);
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 2 });
      for (const seq of [6, 7]) {
        await log.saveSnapshot(headAt(await stored(log, [attempt({ seq })]), { model: "board" }), []);
      }
      expect(await log.trim(ROOM, { count: 1 })).toMatchObject({ first: 7 });
      await log.remove(ROOM);
      expect(await log.heads([ROOM])).toMatchObject([{ epoch: "-", offset: 0, count: 0 }]);
    });
  });
}
