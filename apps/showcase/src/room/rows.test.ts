import { describe, expect, it } from "vitest";
import type { Draft, Message } from "./message.ts";
import { rowsOf } from "./rows.ts";
import { EMPTY_TIMELINE } from "./timeline.ts";

const NOON = new Date(2026, 2, 4, 12).getTime();
const MINUTE = 60_000;

function message(offset: number, author: string, time: number, name = author): Message {
  return { key: `e${offset}`, id: `e${offset}`, offset, time, author, name, text: "hello" };
}

const draft: Draft = {
  key: "d1",
  id: "e1",
  time: NOON + 3 * MINUTE,
  name: "grace",
  text: "on its way",
  delivery: { kind: "queued" },
};

function rows(confirmed: readonly Message[], drafts: readonly Draft[] = []) {
  return rowsOf({ ...EMPTY_TIMELINE, confirmed, drafts }, "grace");
}

describe("rowsOf", () => {
  it("groups what one author wrote without a long pause", () => {
    const list = rows([
      message(1, "ada", NOON),
      message(2, "ada", NOON + MINUTE),
      message(3, "ada", NOON + 20 * MINUTE),
      message(4, "alan", NOON + 21 * MINUTE),
    ]);
    expect(list.map((row) => row.opensGroup)).toEqual([true, false, true, true]);
    expect(list.map((row) => row.closesGroup)).toEqual([false, true, true, true]);
  });

  it("keeps two people of one name apart, and one person under two names", () => {
    const list = rows([message(1, "a", NOON, "Sam"), message(2, "b", NOON, "Sam"), message(3, "b", NOON, "Samuel")]);
    expect(list.map((row) => row.opensGroup)).toEqual([true, true, true]);
  });

  it("begins a day with its first message", () => {
    const list = rows([message(1, "ada", NOON - 24 * 60 * MINUTE), message(2, "ada", NOON), message(3, "ada", NOON)]);
    expect(list.map((row) => row.opensDay)).toEqual([true, true, false]);
  });

  it("knows the reader's own messages, and sets those on their way last, with their status", () => {
    const list = rows([message(1, "grace", NOON), message(2, "ada", NOON)], [draft]);
    expect(list.map((row) => row.own)).toEqual([true, false, true]);
    expect(list.map((row) => row.delivery.kind)).toEqual(["durable", "durable", "queued"]);
  });

  it("keeps a message's key when the log takes it over", () => {
    const [before] = rows([], [draft]);
    const [after] = rows([{ ...message(1, "grace", NOON), key: draft.key }]);
    expect(after?.key).toBe(before?.key);
  });
});
