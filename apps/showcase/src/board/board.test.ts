import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { board as definition } from "../room-models.ts";
import { FakeModel, names } from "../tools/model.fixture.ts";
import { Board } from "./board.ts";
import { indexAt, placeFor } from "./card-place.ts";

function open(...titles: string[]) {
  const model = new FakeModel(definition);
  let ids = 0;
  const board = new Board({ model: model.port, names, newId: () => `card${++ids}` });
  for (const title of titles) board.add(title);
  model.answer();
  return { model, board, titles: () => board.get().cards.map((card) => card.title) };
}

describe("a card", () => {
  it("is there at once, not final until the server has it", () => {
    const { model, board, titles } = open();
    expect(board.add("  Tea ")).toBe(true);
    expect(board.add("   ")).toBe(false);
    expect(titles()).toEqual(["Tea"]);
    expect(board.get().cards[0]).toMatchObject({ stage: "queued", done: false, by: "You wrote this" });
    model.leave();
    expect(board.get().cards[0]?.stage).toBe("sent");
    model.answer();
    expect(board.get().cards[0]?.stage).toBeUndefined();
    expect(board.unfinished).toBe(false);
  });

  it("is ticked, renamed and removed; an unchanged title is not sent", () => {
    const { model, board, titles } = open("Tea");
    board.tick("card1", true);
    board.rename("card1", "Tea", "Tea");
    board.rename("card1", " ", "Tea");
    expect(model.sent).toEqual(["patch"]);
    board.rename("card1", "Coffee", "Tea");
    expect(board.get().cards[0]).toMatchObject({ title: "Coffee", done: true });
    board.remove("card1");
    expect(titles()).toEqual([]);
    model.answer();
    expect(titles()).toEqual([]);
    expect(board.get().refusals).toEqual([]);
  });

  it("that somebody has removed takes no title any more, and says so", () => {
    const { model, board } = open("Tea");
    board.rename("card1", "Coffee", "Tea");
    model.by("ada", "remove", { collection: "cards", id: "card1" });
    model.answer();
    expect(board.get().refusals.map(({ words }) => words)).toEqual([
      "The title “Coffee” was refused. The card has been removed.",
    ]);
  });

  it("moves to any index of the list", () => {
    const { board, titles } = open("a", "b", "c", "d");
    board.move("card1", 2);
    expect(titles()).toEqual(["b", "c", "a", "d"]);
    board.move("card4", 0);
    expect(titles()).toEqual(["d", "b", "c", "a"]);
    board.move("card4", 99);
    expect(titles()).toEqual(["b", "c", "a", "d"]);
  });
});

describe("a conflict", () => {
  it("shows both sides, and puts mine in the place of theirs when asked", () => {
    const { model, board, titles } = open("Tea");
    board.rename("card1", "Green tea", "Tea");
    model.by("ada", "patch", { collection: "cards", id: "card1", fields: { title: "Coffee" }, base: { title: "Tea" } });
    model.answer();
    expect(titles()).toEqual(["Coffee"]);
    expect(board.get().refusals).toEqual([]);
    const [conflict] = board.get().conflicts;
    expect(conflict).toMatchObject({
      words: "ada! changed this title before yours came in.",
      mine: "Green tea",
      theirs: "Coffee",
      restore: "Restore mine",
    });
    board.restore(conflict?.key ?? "");
    expect(board.get().conflicts).toEqual([]);
    model.answer();
    expect(titles()).toEqual(["Green tea"]);
  });

  it("is also with a change that came in while the reader was writing", () => {
    const { model, board } = open("Tea");
    model.by("ada", "patch", { collection: "cards", id: "card1", fields: { title: "Coffee" }, base: { title: "Tea" } });
    board.rename("card1", "Green tea", "Tea");
    model.answer();
    expect(board.get().conflicts).toMatchObject([{ mine: "Green tea", theirs: "Coffee" }]);
  });

  it("can be settled with theirs, each by itself", () => {
    const { model, board, titles } = open("a", "b");
    for (const [id, base] of [
      ["card1", "a"],
      ["card2", "b"],
    ] as const) {
      board.rename(id, `my ${base}`, base);
      model.by("ada", "patch", { collection: "cards", id, fields: { title: `her ${base}` }, base: { title: base } });
    }
    model.answer();
    const [first, second] = board.get().conflicts;
    board.settle(first?.key ?? "");
    expect(board.get().conflicts.map(({ key }) => key)).toEqual([second?.key]);
    expect(titles()).toEqual(["her a", "her b"]);
    expect(model.sent).toEqual([]);
  });

  it("is also to remove what somebody has changed", () => {
    const { model, board, titles } = open("Tea");
    board.remove("card1");
    model.by("ada", "patch", { collection: "cards", id: "card1", fields: { done: true } });
    model.answer();
    expect(titles()).toEqual(["Tea"]);
    expect(board.get().conflicts).toMatchObject([{ mine: "Removed", theirs: "Tea", restore: "Remove it anyway" }]);
    board.restore(board.get().conflicts[0]?.key ?? "");
    model.answer();
    expect(titles()).toEqual([]);
  });
});

describe("the place of a card", () => {
  it("is the one at which it stands afterwards, whatever was asked for", () => {
    const ids = ["a", "b", "c", "d", "e"];
    fc.assert(
      fc.property(fc.constantFrom(...ids), fc.integer({ min: -2, max: 8 }), (id, index) => {
        const after = placeFor(ids, id, index);
        const others = ids.filter((one) => one !== id);
        const moved =
          after === undefined ? ids : others.toSpliced(after === null ? 0 : others.indexOf(after) + 1, 0, id);
        expect(moved.indexOf(id)).toBe(Math.min(4, Math.max(0, index)));
      }),
    );
    expect(placeFor(ids, "gone", 1)).toBeUndefined();
  });

  it("under the pointer is before the first card whose middle is below it", () => {
    expect([5, 25, 35, 99].map((height) => indexAt(height, [10, 20, 30]))).toEqual([0, 2, 3, 3]);
    expect(indexAt(5, [])).toBe(0);
  });
});
