import type { Position } from "@tandem/protocol";
import { chainTag } from "@tandem/protocol";
import { describe, expect, it } from "vitest";
import type { Append, Log, ModelAppend } from "../log.ts";
import { idsOf } from "../log.ts";
import type { SnapshotHead, StoredSnapshot } from "../model-log.ts";
import type { AttemptOptions } from "./attempt.contract.ts";
import { appendOne, attempt, attempts, DAY, eventsOf, NOW, producerId, stored } from "./attempt.contract.ts";

const ROOM = "acme/room:1";

/** The events of a model, as its appends are made one after the other. */
class Story {
  tag = "";
  readonly name: string;
  readonly #producer: string;
  #seq = 0;

  constructor(name = "votes", letter = "v", minted = NOW) {
    this.name = name;
    this.#producer = producerId(letter, minted);
  }

  /** The next append, on the history so far. */
  next(model: Partial<ModelAppend> = {}, { data = ["1"], ...rest }: AttemptOptions = {}): Append {
    const { name, tag } = this;
    const seq = ++this.#seq;
    const given = { name, expect: tag, decision: "first", deadline: undefined, ...model };
    const append = attempt({ producer: this.#producer, seq, data, model: given, ...rest });
    this.tag = idsOf(append).reduce(chainTag, tag);
    return append;
  }

  /** An append on a history that the model does not have, under the next seq, which stays the next. */
  wrong(expect: string): Append {
    const { name } = this;
    return attempt({
      producer: this.#producer,
      seq: this.#seq + 1,
      model: { name, expect, decision: "first", deadline: undefined },
    });
  }
}

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

const KEY = { name: "ballot", key: "k".repeat(43) };
