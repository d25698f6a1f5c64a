import { describe, expect, it } from "vitest";
import { countReplies } from "./redis-publisher.ts";

describe("countReplies", () => {
  it("counts whole replies and leaves the torn one for later", () => {
    expect(countReplies("$3\r\n1-0\r\n$3\r\n1-1\r\n$3\r\n1-")).toEqual({ replies: 2, taken: 18 });
    expect(countReplies("$3")).toEqual({ replies: 0, taken: 0 });
  });

  it("takes an error for what it is", () => {
    expect(() => countReplies("$3\r\n1-0\r\n-OUTOFSEQUENCE 4\r\n")).toThrow("OUTOFSEQUENCE");
  });
});
