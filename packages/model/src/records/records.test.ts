import fc from "fast-check";
import { generateNKeysBetween } from "fractional-indexing";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { isConflict } from "../conflict.ts";
import type { Made } from "../decision.ts";
import { Rejection } from "../decision.ts";
import { evolve } from "../evolution.ts";
import type { StateOf } from "../model.ts";
import { cutPiece } from "../pieces.ts";
import { Table } from "../table.ts";
import { take } from "../testing/play.ts";
import { Rehearsal } from "../testing/rehearsal.ts";
import type { Sent } from "../testing/steps.fixture.ts";
import { plays } from "../testing/steps.fixture.ts";
import { throughPieces } from "../testing/transfer.ts";
import type { Entry } from "./entry.ts";
import { changeOf } from "./entry.ts";
import { LONGEST_PLACE, roomFor } from "./order.ts";
import { records } from "./records.ts";
import { all, ordered, where } from "./select.ts";

const schema = v.object({
  title: v.pipe(v.string(), v.maxLength(20)),
  votes: v.number(),
  note: v.optional(v.string()),
});
const model = records({
  collections: {
    cards: {
      schema,
      policies: { title: "refuse", votes: (base = 0, mine = 0, theirs = 0) => theirs + mine - base },
      order: true,
      most: 8,
    },
    notes: { schema: v.object({ text: v.string() }), most: 4 },
  },
});
type Model = typeof model;
type State = StateOf<Model>;

const draw = fc.nat();
const pick = (state: State, at: number): Entry<{ title: string; votes: number }> | undefined => {
  const list = ordered(state.cards);
  return list[at % Math.max(1, list.length)];
};
/** Commands on what the client shows, with what it shows as base; some on what is not there. */
const commands: fc.Arbitrary<Sent<Model>> = fc.oneof(
  made(["create"], (state, at, word) => ({
    collection: "cards",
    value: { title: word, votes: at % 3 },
    ...(at % 3 === 0 ? {} : { after: at % 3 === 1 ? null : (pick(state, at)?.id ?? null) }),
  })),
  made(["create"], (_, at, word) => ({ collection: "notes", id: `note-${at % 6}`, value: { text: word } })),
  made(["patch"], (state, at, word) => {
    const entry = pick(state, at);
    const fields = [{ title: word }, { votes: at % 5 }, { note: word }, { title: word, votes: 1 }][at % 4];
    return { collection: "cards", id: entry?.id ?? "none", fields, base: entry?.value, strict: at % 7 === 0 };
  }),
  made(["patch"], (state, at) => ({ collection: "cards", id: pick(state, at)?.id ?? "none", clear: ["note"] })),
  made(["set"], (state, at, word) => {
    const entry = pick(state, at);
    return { collection: "cards", id: entry?.id ?? "none", value: { title: word, votes: at % 4 }, base: entry?.value };
  }),
  made(["remove"], (state, at) => {
    const entry = pick(state, at);
    return { collection: "cards", id: entry?.id ?? "none", ...(at % 2 === 0 && entry && { base: entry.value }) };
  }),
  made(["restore"], (state, at, word) => ({
    collection: "cards",
    id: `old-${at % 4}`,
    value: { title: word, votes: 0 },
    ...(at % 2 === 0 && { place: pick(state, at)?.place ?? "a0" }),
  })),
  made(["move"], (state, at) => {
    const [entry, other] = [pick(state, at), pick(state, Math.floor(at / 7))];
    return { collection: "cards", id: entry?.id ?? "none", after: at % 4 === 0 ? null : (other?.id ?? null) };
  }),
);

function made(
  [command]: [Sent<Model>["command"]],
  input: (state: State, at: number, word: string) => unknown,
): fc.Arbitrary<Sent<Model>> {
  return fc
    .tuple(draw, fc.constantFrom("one", "two", "three", "much longer than it may be"))
    .map(([at, word]) => ({ command, input: (state: State) => input(state, at, word) }));
}

describe("records", () => {
  it("keep schemas, bounds and order, and come together again everywhere, whatever is sent", () => {
    fc.assert(
      fc.property(plays(commands), (steps) => {
        const stage = new Rehearsal(model);
        for (const user of ["ann", "bea", "cai"]) stage.join(user);
        for (const step of steps) {
          take(stage, step);
          const { cards, notes } = stage.state;
          expect(cards.size <= 8 && notes.size <= 4).toBe(true);
          const list = ordered(cards);
          // What is taken over from change to change is what sorting says.
          expect(list).toEqual([...cards.values()].sort((a, b) => ((a.place ?? "") < (b.place ?? "") ? -1 : 1)));
          expect(new Set(list.map(({ place }) => place)).size).toBe(cards.size);
          for (const { value, id } of list) expect([v.is(schema, value), cards.get(id)?.id]).toEqual([true, id]);
        }
        stage.check();
      }),
    );
  });

  it("are as they were once what was just done is taken back", () => {
    fc.assert(
      fc.property(fc.array(commands, { minLength: 1, maxLength: 30 }), (sent) => {
        const stage = new Rehearsal(model);
        for (const { command, input } of sent) {
          const before = shown(stage.state);
          const value = typeof input === "function" ? input(stage.state, "ann") : input;
          const outcome = stage.decide(stage.call("ann", command, value));
          if (outcome.status !== "accepted" || outcome.events.length === 0) continue;
          const { inverse } = outcome;
          if (!inverse) throw new Error(`${command} has no inverse`);
          const undone = stage.decide(stage.call("ann", inverse.command, inverse.input));
          expect(undone).toMatchObject({ status: "accepted" });
          expect(shown(stage.state)).toEqual(before);
          if (undone.status !== "accepted" || !undone.inverse) throw new Error("no redo");
          expect(stage.decide(stage.call("ann", undone.inverse.command, undone.inverse.input))).toMatchObject({
            status: "accepted",
          });
        }
      }),
    );
  });

  it("refuse a change of a field that somebody else changed, with both, and what puts mine there", () => {
    const stage = new Rehearsal(model);
    const [ann, bea] = [stage.join("ann"), stage.join("bea")];
    stage.command("ann", "create", { collection: "cards", id: "x", value: { title: "base", votes: 0 } });
    stage.settle();
    const base = ann.state.cards.get("x")?.value;
    ann.send("patch", { collection: "cards", id: "x", fields: { title: "mine" }, ...(base && { base }) });
    bea.send("patch", { collection: "cards", id: "x", fields: { title: "theirs" }, ...(base && { base }) });
    bea.serve();
    const outcome = ann.serve();
    if (outcome?.status !== "rejected" || !isConflict(outcome.reason)) throw new Error("no conflict");
    expect(outcome.reason).toEqual({
      code: "conflict",
      path: ["cards", "x", "title"],
      mine: "mine",
      theirs: "theirs",
      by: "bea",
      at: stage.time,
      restore: {
        command: "patch",
        input: { collection: "cards", id: "x", fields: { title: "mine" }, clear: [], base: { title: "theirs" } },
      },
    });
    stage.settle();
    expect([ann.state.cards.get("x")?.value.title, stage.events.length]).toEqual(["theirs", 2]);
    const { command, input } = outcome.reason.restore ?? { command: "", input: undefined };
    expect(stage.decide(stage.call("ann", command, input))).toMatchObject({ status: "accepted" });
    const entry = stage.state.cards.get("x") as Entry<unknown>;
    expect([changeOf(entry, "title"), changeOf(entry, "votes")]).toEqual([
      ["ann", stage.time],
      ["ann", stage.time],
    ]);
    stage.check();
  });

  it("merge where the application says how, let the last count where nothing is said, and ask for a base where one is needed", () => {
    const stage = new Rehearsal(model);
    stage.command("ann", "create", { collection: "cards", id: "x", value: { title: "t", votes: 1 } });
    for (const votes of [3, 5]) {
      stage.command("bea", "patch", { collection: "cards", id: "x", fields: { votes }, base: { votes: 1 } });
    }
    expect(stage.state.cards.get("x")?.value.votes).toBe(7);
    for (const note of ["one", "two"]) stage.command(note, "patch", { collection: "cards", id: "x", fields: { note } });
    expect(stage.state.cards.get("x")?.value.note).toBe("two");
    expect(stage.command("ann", "patch", { collection: "cards", id: "x", fields: { title: "u" } })).toEqual({
      status: "rejected",
      reason: { code: "base-missing", collection: "cards", field: "title" },
    });
  });

  it("undo only what is still as it was left", () => {
    const stage = new Rehearsal(model);
    stage.command("ann", "create", { collection: "cards", id: "x", value: { title: "t", votes: 1 } });
    const done = stage.command("ann", "patch", { collection: "cards", id: "x", fields: { note: "mine" } });
    stage.command("bea", "patch", { collection: "cards", id: "x", fields: { note: "theirs" } });
    if (done.status !== "accepted" || !done.inverse) throw new Error("no inverse");
    expect(stage.decide(stage.call("ann", done.inverse.command, done.inverse.input))).toMatchObject({
      status: "rejected",
      reason: { code: "conflict", path: ["cards", "x", "note"], mine: null, theirs: "theirs", by: "bea" },
    });
  });

  it("say why they refuse", () => {
    const stage = new Rehearsal(model);
    const cards = { collection: "cards" } as const;
    const why = (outcome: unknown) => (outcome as { reason?: unknown }).reason;
    expect(why(stage.command("ann", "create", { ...cards, value: { title: "x".repeat(21), votes: 1 } }))).toMatchObject(
      {
        code: "invalid",
        issues: [{ path: "title" }],
      },
    );
    stage.command("ann", "create", { ...cards, id: "x", value: { title: "t", votes: 1 } });
    expect(why(stage.command("ann", "create", { ...cards, id: "x", value: { title: "t", votes: 1 } }))).toMatchObject({
      code: "exists",
    });
    expect(why(stage.command("ann", "patch", { ...cards, id: "y", fields: {} }))).toMatchObject({ code: "missing" });
    expect(why(stage.command("ann", "move", { ...cards, id: "x", after: "y" }))).toMatchObject({
      code: "missing",
      id: "y",
    });
    expect(why(stage.command("ann", "move", { ...cards, id: "x", after: null, from: "a1" }))).toMatchObject({
      code: "conflict",
      path: ["cards", "x", "place"],
    });
    stage.command("ann", "create", { collection: "notes", id: "n", value: { text: "" } });
    expect(why(stage.command("ann", "move", { collection: "notes", id: "n", after: null }))).toMatchObject({
      code: "unordered",
    });
    for (const id of ["o", "p", "q"]) stage.command("ann", "create", { collection: "notes", id, value: { text: "" } });
    expect(why(stage.command("ann", "create", { collection: "notes", value: { text: "" } }))).toEqual({
      code: "full",
      collection: "notes",
      most: 4,
    });
    expect(why(stage.command("ann", "restore", { collection: "notes", id: "r", value: { text: "" } }))).toMatchObject({
      code: "full",
    });
    // @ts-expect-error there is no such collection
    expect(stage.command("ann", "remove", { collection: "others", id: "x" })).toMatchObject({ status: "invalid" });
  });

  it("take schemas that answer at once only", () => {
    const later = v.pipeAsync(
      v.object({ a: v.string() }),
      v.checkAsync(async () => true),
    );
    expect(() => records({ collections: { late: { schema: later } } })).toThrow(/late answers later/);
    expect(() => records({ collections: { "a/b": { schema } } })).toThrow(RangeError);
  });
});

describe("places", () => {
  it("stay short and apart, however often something is put in the same gap", () => {
    let table = Table.empty<Entry>();
    const put = (id: string, at: Parameters<typeof roomFor>[1]) => {
      const room = roomFor(table, at);
      if (!room) throw new Error("no room");
      for (const [other, place] of room.spread) table = table.update(other, (entry) => entry && { ...entry, place });
      table = table.set(id, { id, value: {}, place: room.place, made: [null, 0] });
      return room.spread.length;
    };
    put("first", undefined);
    put("last", undefined);
    let spread = 0;
    const expected = ["first", "last"];
    for (let index = 0, low = "first"; index < 800; index++) {
      // Always into the gap that the last one left, in turns before it and after it.
      if (put(`r${index}`, low) > 0) spread++;
      expected.splice(expected.indexOf(low) + 1, 0, `r${index}`);
      if (index % 2 === 0) low = `r${index}`;
    }
    const list = ordered(table);
    expect(list.map(({ id }) => id)).toEqual(expected);
    expect(Math.max(...list.map(({ place = "" }) => place.length))).toBeLessThanOrEqual(LONGEST_PLACE);
    expect(spread).toBeGreaterThan(0);
  });
});

describe("an order of 50,000", () => {
  const rows = 50_000;
  let looks = 0;
  /** As `rows` records that are as they were made, each look at the place of one counted: a comparison takes two of them. */
  const counted = () => {
    const places = generateNKeysBetween(null, null, rows);
    const entries = places.map((place, index): [string, Entry] => {
      const id = `card-${index}`;
      const entry = { id, value: { title: `Card ${index}`, votes: index }, made: ["ann", 1] as const };
      const get = () => {
        looks++;
        return place;
      };
      return [id, Object.defineProperty(entry, "place", { get, enumerable: true })];
    });
    return { cards: Table.of(entries), notes: Table.empty<never>() };
  };
  const big = records({ collections: { cards: { schema, order: true, most: 100_000 }, notes: { schema: v.any() } } });

  it("G12: is kept in order through whatever is done at one crowded place, without being sorted anew", () => {
    let state = counted() as unknown as StateOf<typeof big>;
    let calls = 0;
    let spreads = 0;
    const context = { user: "ann", admin: false, time: 1, sealing: undefined, id: () => `new-${calls}` };
    const send = <N extends "create" | "move" | "restore">(command: N, input: object) => {
      calls++;
      looks = 0;
      const made = big.commands[command].decide(state, input as never, context);
      if (calls > 1) expect(looks).toBeLessThan(20_000);
      if (made instanceof Rejection) {
        // Where it is crowded for good.
        expect(made.reason).toMatchObject({ code: "no-room" });
        return false;
      }
      for (const { type, data } of made as Made<Record<string, unknown>>[]) {
        if (type === "spread") spreads++;
        const info = { id: `e${calls}`, author: "ann", time: 1 };
        state = evolve(big, state, { type, version: 1, data, info });
      }
      if (calls > 1) expect(looks).toBeLessThan(20_000);
      return true;
    };
    const value = { title: "t", votes: 0 };
    send("create", { collection: "cards", value });
    for (let [before, low] = ["card-24999", "card-25000"]; calls < 1_000; ) {
      const isThere = send("create", { collection: "cards", value, after: low });
      if (isThere && calls % 2 === 0) [before, low] = [low, `new-${calls}`];
      if (calls % 50 === 0) send("move", { collection: "cards", id: `card-${calls}`, after: low });
      // One that stands among those that are spread out for it.
      if (calls % 70 === 0) send("move", { collection: "cards", id: before, after: low });
      if (calls % 70 === 0) send("restore", { collection: "cards", id: `back-${calls}`, value, place: "zz" });
    }
    expect(spreads).toBeGreaterThan(10);
    const list = ordered(state.cards);
    expect(list).toHaveLength(state.cards.size);
    expect(list).toEqual(ordered(Table.of(state.cards)));
  });
});

describe("what is asked of records", () => {
  it("is the same array as long as the collection is unchanged", () => {
    const stage = new Rehearsal(model);
    stage.command("ann", "create", { collection: "cards", id: "x", value: { title: "t", votes: 1 } });
    const voted = ({ votes }: { votes: number }) => votes > 0;
    const before = [all(stage.state.cards), ordered(stage.state.cards), where(stage.state.cards, voted)];
    stage.command("ann", "create", { collection: "notes", value: { text: "" } });
    expect([all(stage.state.cards), ordered(stage.state.cards), where(stage.state.cards, voted)]).toEqual(before);
    expect(all(stage.state.cards)).toBe(before[0]);
    expect(ordered(stage.state.cards)).toBe(before[1]);
    expect(where(stage.state.cards, voted)).toBe(before[2]);
    stage.command("ann", "patch", { collection: "cards", id: "x", fields: { votes: 0 }, base: { votes: 1 } });
    expect(where(stage.state.cards, voted)).toEqual([]);
    expect(before[2]).toHaveLength(1);
  });

  it("comes in pieces of the size that was asked for, where there are 50,000", () => {
    const rows = 50_000;
    const state = {
      cards: Table.of(
        Array.from({ length: rows }, (_, index): [string, Entry] => [
          `card-${index}`,
          { id: `card-${index}`, value: { title: `Card ${index}`, votes: index }, place: "a0", made: ["ann", 1] },
        ]),
      ),
    };
    expect(throughPieces(state, 65_536).cards.size).toBe(rows);
    expect(cutPiece(state, "cards/card-7", 16_384).json.length).toBeLessThan(16_384 + 300);
  });
});

/** The records as people see them. */
function shown({ cards, notes }: State): unknown {
  return [
    ordered(cards).map(({ id, value }) => [id, value]),
    new Map([...notes].map(([id, { value }]) => [id, value])),
  ];
}

describe("a record of any fields", () => {
  const open = records({ collections: { bags: { schema: v.record(v.string(), v.string()), longest: 2_000 } } });
  const stage = new Rehearsal(open);
  stage.command("ann", "create", { collection: "bags", id: "b", value: {} });
  const patch = (more: object) => stage.command("ann", "patch", { collection: "bags", id: "b", ...more });

  it("grows no longer than it may, patch by patch", () => {
    const outcomes = Array.from({ length: 30 }, (_, at) => patch({ fields: { [`f${at}`]: "x".repeat(100) } }));
    expect(outcomes[0]).toMatchObject({ status: "accepted" });
    expect(outcomes[29]).toMatchObject({ status: "rejected", reason: { code: "invalid" } });
    expect(JSON.stringify(stage.state.bags.get("b")?.value).length).toBeLessThanOrEqual(2_000);
    stage.check();
  });

  it("remembers only the newest of those who took fields away", () => {
    for (let at = 0; at < 200; at++) {
      patch({ fields: { [`t${at}`]: "x" } });
      patch({ clear: [`t${at}`] });
    }
    const { changes = {}, value = {} } = stage.state.bags.get("b") ?? {};
    expect(Object.keys(changes).length).toBeLessThanOrEqual(Object.keys(value).length + 32);
    expect(changes).toHaveProperty("t199");
    stage.check();
  });
});
