import { describe, expect, it } from "vitest";
import { rowsOf } from "../room/rows.ts";
import { EMPTY_TIMELINE } from "../room/timeline.ts";
import { announcement, newestSpoken } from "./announcement.ts";

function rows(...said: readonly [author: string, text: string][]) {
  const confirmed = said.map(([author, text], index) => {
    return { key: `e${index + 1}`, id: `e${index + 1}`, offset: index + 1, time: 0, author, name: author, text };
  });
  return rowsOf({ ...EMPTY_TIMELINE, confirmed }, "me");
}

describe("announcement", () => {
  it("reads out one or two messages of others", () => {
    const list = rows(["Ada", "old"], ["Ada", "hello"], ["me", "mine"], ["Grace", "hi"]);
    expect(announcement(list, "e1")).toBe("Ada: hello Grace: hi");
    expect(newestSpoken(list)?.key).toBe("e4");
  });

  it("counts more than two", () => {
    expect(announcement(rows(["Ada", "1"], ["Grace", "2"], ["Ada", "3"]), "")).toBe(
      "3 new messages from Ada and Grace",
    );
    expect(announcement(rows(["a", "1"], ["b", "2"], ["c", "3"]), "")).toBe("3 new messages from 3 people");
  });

  it("cuts a long text short", () => {
    expect(announcement(rows(["Ada", "x".repeat(500)]), "")).toHaveLength("Ada: ".length + 161);
  });
});
