import { describe, expect, it } from "vitest";
import { Text } from "./text.ts";

describe("Text", () => {
  it("applies the patches of a transaction one after the other", () => {
    const text = new Text("one two");
    text.apply([
      [0, 3, "1"],
      [2, 3, "2"],
    ]);
    expect(text.toString()).toBe("1 2");
  });

  it("counts code points, not UTF-16 units", () => {
    const text = new Text("a😀b");
    text.apply([[2, 1, "é"]]);
    expect(text.toString()).toBe("a😀é");
    text.apply([[1, 1, "😎😎"]]);
    expect(text.toString()).toBe("a😎😎é");
  });

  it("refuses a patch outside of the text", () => {
    expect(() => new Text("abc").apply([[2, 2, ""]])).toThrow(RangeError);
  });
});
