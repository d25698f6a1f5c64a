import { describe, expect, it } from "vitest";
import { Attendance } from "./attendance.ts";
import type { MemberEvents } from "./member.ts";

/** A client that does what the test says. */
function attend(attendance: Attendance): MemberEvents {
  let said: MemberEvents | undefined;
  attendance.add((events) => {
    said = events;
    return { channel: "feed:1", cut() {}, restore() {}, close() {} };
  });
  if (!said) throw new Error("the client was not connected");
  return said;
}

describe("Attendance", () => {
  it("counts what some client never got, got again, or got late", () => {
    const attendance = new Attendance();
    const one = attend(attendance);
    const other = attend(attendance);
    for (const seq of [1, 2, 3]) one.message(seq);
    for (const seq of [1, 3, 2, 2]) other.message(seq);
    expect(attendance.count({ "feed:1": 4 })).toEqual({ missing: 2, duplicated: 1 });
    expect(attendance.disordered).toBe(1);
  });

  it("counts a return once, from when the client could come back", async () => {
    const attendance = new Attendance();
    const one = attend(attendance);
    one.live();
    await attendance.complete();
    attendance.awaitAll();
    one.live();
    one.live();
    expect(attendance.returns).toHaveLength(2);
  });

  it("fails with a client that gave up", async () => {
    const attendance = new Attendance();
    attend(attendance).failed(new Error("gave up"));
    await expect(attendance.complete()).rejects.toThrow("gave up");
  });
});
