import { describe, expect, it } from "vitest";
import { firstOf, isClean, LEAST_UNACKNOWLEDGED, replay } from "./replay.ts";
import { Text } from "./text.ts";
import type { Patch, Trace } from "./trace.ts";

/** Somebody who types, goes back now and then, and types on. */
function typed(transactions: number): Trace {
  const text = new Text("");
  let length = 0;
  const all = Array.from({ length: transactions }, (_, index): Patch[] => {
    const position = (index * 7) % (length + 1);
    const deleted = index % 5 === 4 && position < length ? 1 : 0;
    const patches: Patch[] = [[position, deleted, `${index} `]];
    text.apply(patches);
    length += `${index} `.length - deleted;
    return patches;
  });
  return { startContent: "", endContent: text.toString(), transactions: all };
}

describe("replay", () => {
  it("G1, G2, G3: a server that is killed twice loses nothing, doubles nothing, and answers retries from its marks", async () => {
    const result = await replay(typed(400), { kills: 2 });
    expect(result).toMatchObject({ transactions: 400, kills: 2, equal: true, lost: 0, duplicated: 0, breaks: 0 });
    expect(isClean(result)).toBe(true);
    expect(result.answeredFromMarks).toBeGreaterThan(0);
    expect(result.unacknowledgedAtKill).toBeGreaterThanOrEqual(LEAST_UNACKNOWLEDGED);
  }, 120_000);

  it("says so when the receivers' text is not the trace's", async () => {
    const result = await replay({ ...typed(20), endContent: "something else" }, { kills: 0 });
    expect(result).toMatchObject({ equal: false, lost: 0, duplicated: 0 });
    expect(isClean(result)).toBe(false);
  }, 60_000);

  it("refuses more kills than the trace has room for", async () => {
    await expect(replay(typed(100), { kills: 2 })).rejects.toThrow(/too few for 2 kills/);
  });
});

describe("firstOf", () => {
  it("cuts a trace and its end", () => {
    expect(firstOf(typed(30), 3).endContent).toBe(typed(3).endContent);
  });
});
