import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Draft, Message } from "./message.ts";
import type { Action, Timeline } from "./timeline.ts";
import { EMPTY_TIMELINE, reduce } from "./timeline.ts";

function message(offset: number, id = `e${offset}`, author = "ada"): Message {
  return { key: id, id, offset, time: offset * 1_000, author, name: author, text: `text ${offset}` };
}

function messages(from: number, to: number): Message[] {
  return Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
}

function draft(id: string, kind: "queued" | "sent" | "durable" = "queued"): Draft {
  return { key: `d-${id}`, id, time: 0, name: "grace", text: id, delivery: { kind } };
}

function after(actions: readonly Action[], from: Timeline = EMPTY_TIMELINE): Timeline {
  return actions.reduce(reduce, from);
}

const offsets = (timeline: Timeline) => timeline.confirmed.map((one) => one.offset);

function arrived(list: readonly Message[]): Action {
  return { type: "arrived", messages: list, from: list[0]?.offset, self: "grace" };
}

function page(list: readonly Message[], more: boolean, from = list[0]?.offset): Action {
  return { type: "page", messages: list, from, more };
}

describe("arrived messages", () => {
  it("G3: shows each event once, in the log's order, however often it comes", () => {
    const timeline = after([arrived(messages(1, 3)), arrived(messages(2, 5)), arrived(messages(1, 5))]);
    expect(offsets(timeline)).toEqual([1, 2, 3, 4, 5]);
  });

  it("G14: puts an own message from the drafts into the log's place for it", () => {
    const timeline = after([
      { type: "written", draft: draft("a") },
      { type: "written", draft: draft("b") },
      arrived([message(1, "other"), message(2, "a", "grace")]),
    ]);
    expect(timeline.confirmed.map((one) => one.id)).toEqual(["other", "a"]);
    expect(timeline.confirmed.map((one) => one.key)).toEqual(["other", "d-a"]);
    expect(timeline.drafts.map((one) => one.id)).toEqual(["b"]);
  });

  it("knows an own message by the id that it got when it was sent", () => {
    const timeline = after([
      { type: "written", draft: { ...draft("x"), id: undefined } },
      { type: "progress", key: "d-x", id: "e1", delivery: { kind: "sent" } },
      arrived([message(1)]),
    ]);
    expect(timeline.drafts).toEqual([]);
    expect(timeline.confirmed.map((one) => one.key)).toEqual(["d-x"]);
  });

  it("counts as unread what others wrote while the reader was elsewhere", () => {
    const away = after([arrived([message(1)]), { type: "following", following: false }]);
    const timeline = after(
      [
        { type: "written", draft: draft("x") },
        arrived([message(2), message(3, "x", "grace"), message(4, "y", "grace")]),
      ],
      away,
    );
    expect(timeline.unread).toBe(1);
    expect(reduce(timeline, { type: "following", following: true }).unread).toBe(0);
  });

  it("lets go of the oldest while the reader follows, and can fetch them again", () => {
    const timeline = after([
      arrived(messages(1, 2_000)),
      { type: "live", head: 2_000 },
      arrived(messages(2_001, 2_010)),
    ]);
    expect(timeline.confirmed).toHaveLength(2_000);
    expect(timeline.confirmed[0]?.offset).toBe(11);
    expect(timeline.past).toEqual({ kind: "more" });
  });

  it("lets nothing go before a page that is under way", () => {
    const loading = after([arrived(messages(101, 2_100)), { type: "live", head: 2_100 }, { type: "loading" }]);
    const timeline = after([arrived(messages(2_101, 2_102)), page(messages(1, 100), false)], loading);
    expect(offsets(timeline)).toEqual(messages(1, 2_102).map((one) => one.offset));
  });
});

describe("the past", () => {
  it("begins with the first event ever", () => {
    expect(after([arrived(messages(1, 3)), { type: "live", head: 3 }]).past).toEqual({ kind: "start", complete: true });
    expect(after([{ type: "live", head: 0 }]).past).toEqual({ kind: "start", complete: true });
  });

  it("goes on before the first page", () => {
    const timeline = after([arrived(messages(51, 100)), { type: "live", head: 100 }]);
    expect(timeline.past).toEqual({ kind: "more" });
  });

  it("ends where retention has taken the rest", () => {
    const timeline = after([
      arrived(messages(51, 100)),
      { type: "live", head: 100 },
      { type: "loading" },
      page(messages(41, 50), false),
    ]);
    expect(timeline.past).toEqual({ kind: "start", complete: false });
    expect(offsets(timeline)).toEqual(messages(41, 100).map((one) => one.offset));
  });

  it("goes on through pages without a message, to the first event ever", () => {
    const others = after([
      { type: "arrived", messages: [], from: 251, self: "grace" },
      { type: "live", head: 300 },
    ]);
    expect(others).toMatchObject({ past: { kind: "more" }, from: 251 });
    const further = after([{ type: "loading" }, page([], true, 151)], others);
    expect(further).toMatchObject({ past: { kind: "more" }, from: 151 });
    const whole = after([{ type: "loading" }, page(messages(7, 9), false, 1)], further);
    expect(whole.past).toEqual({ kind: "start", complete: true });
    expect(offsets(whole)).toEqual([7, 8, 9]);
  });

  it("tells why it could not be fetched, and may be asked again after a new connection", () => {
    const failed = after([
      arrived(messages(51, 100)),
      { type: "live", head: 100 },
      { type: "loading" },
      { type: "page-failed", reason: "The connection was lost." },
    ]);
    expect(failed.past).toEqual({ kind: "failed", reason: "The connection was lost." });
    expect(reduce(failed, { type: "live", head: 100 }).past).toEqual({ kind: "more" });
  });
});

describe("drafts", () => {
  it("G14: follow their publication", () => {
    const refused = { kind: "rejected", code: "forbidden", reason: "No right.", retryable: false } as const;
    const timeline = after([
      { type: "written", draft: draft("a") },
      { type: "written", draft: draft("b") },
      { type: "progress", key: "d-a", id: "a", delivery: { kind: "sent" } },
      { type: "progress", key: "d-b", id: "b", delivery: refused },
    ]);
    expect(timeline.drafts.map((one) => one.delivery)).toEqual([{ kind: "sent" }, refused]);
  });

  it("are not brought back by late word of a message that the log has shown", () => {
    const shown = after([{ type: "written", draft: draft("a") }, arrived([message(1, "a", "grace")])]);
    expect(reduce(shown, { type: "progress", key: "d-a", id: "a", delivery: { kind: "durable" } })).toBe(shown);
  });

  it("stay through a reset unless they are stored, for then the log brings them", () => {
    const timeline = after([
      arrived(messages(1, 3)),
      { type: "written", draft: draft("stored", "durable") },
      { type: "written", draft: draft("waits") },
      { type: "reset" },
    ]);
    expect(timeline.confirmed).toEqual([]);
    expect(timeline.drafts.map((one) => one.id)).toEqual(["waits"]);
    expect(timeline.past).toEqual({ kind: "opening" });
  });

  it("G11: are bounded, and settled ones go first", () => {
    const rejected: Draft = { ...draft("bad"), delivery: { kind: "unknown", reason: "" } };
    let timeline = after([
      { type: "written", draft: draft("first") },
      { type: "written", draft: rejected },
    ]);
    for (let index = 0; index < 1_999; index++)
      timeline = reduce(timeline, { type: "written", draft: draft(`d${index}`) });
    expect(timeline.drafts).toHaveLength(2_000);
    expect(timeline.drafts[0]?.id).toBe("first");
    expect(timeline.drafts.some((one) => one.id === "bad")).toBe(false);
  });
});

it("G3, G14: whatever comes in whatever order, no message stands twice and the log's order holds", () => {
  const id = fc.integer({ min: 1, max: 12 });
  const action: fc.Arbitrary<Action> = fc.oneof(
    fc.tuple(id, id).map(([a, b]): Action => arrived(messages(Math.min(a, b), Math.max(a, b)))),
    id.map((n): Action => ({ type: "written", draft: draft(`e${n}`) })),
    id.map((n): Action => ({ type: "progress", key: `d-e${n}`, id: `e${n}`, delivery: { kind: "durable" } })),
    fc.tuple(id, id).map(([a, b]): Action => page(messages(Math.min(a, b), Math.max(a, b)), true)),
    fc.constant<Action>({ type: "reset" }),
    fc.constant<Action>({ type: "live", head: 12 }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
      let timeline = EMPTY_TIMELINE;
      const written = new Set<string>();
      for (const next of actions) {
        // A publication's id is new: neither written before nor in the log yet.
        if (next.type === "written") {
          const { id, key } = next.draft;
          if (written.has(key) || timeline.confirmed.some((one) => one.id === id)) continue;
          written.add(key);
        }
        timeline = reduce(timeline, next);
        const ids = [...timeline.confirmed, ...timeline.drafts].map((one) => one.id);
        expect(new Set(ids).size).toBe(ids.length);
        expect(offsets(timeline)).toEqual(offsets(timeline).toSorted((a, b) => a - b));
      }
    }),
  );
});
