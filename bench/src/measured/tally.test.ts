import { describe, expect, it } from "vitest";
import { payloadOf } from "./payload.ts";
import { Tally } from "./tally.ts";

/** A message as some system would send it, with so many payloads. */
function message(seqs: readonly number[], gap = ","): Buffer {
  return Buffer.from(`[{"head":"${gap}","events":[${seqs.map((seq) => JSON.stringify(payloadOf(seq))).join(gap)}]}]`);
}

function tally() {
  const wrong: string[] = [];
  const heard: number[] = [];
  const counts = new Tally(
    ({ message: reason }) => wrong.push(reason),
    (seq, made) => heard.push(seq, made),
  );
  const take = (bytes: Buffer) => counts.take(bytes, 0, bytes.length);
  return { wrong, heard, counts, take };
}

describe("Tally", () => {
  it("counts every payload, wherever it stands", () => {
    const { wrong, counts, take } = tally();
    take(message([1, 2, 3]));
    take(message([4], ",  ,"));
    take(message([5, 6], ', "much": "further",'));
    take(Buffer.from('[{"type":"ping"}]'));
    take(message([7, 8, 9]));
    expect(wrong).toEqual([]);
    expect(counts.count).toBe(9);
  });

  it.each([
    ["lost", [1, 3], "got payload 3 after 1"],
    ["doubled", [1, 1], "got payload 1 after 1"],
    ["out of order", [2, 1], "got payload 2 after 0"],
  ])("tells what was %s", (_name, seqs, reason) => {
    const { wrong, take } = tally();
    take(message(seqs));
    expect(wrong[0]).toContain(reason);
  });

  it("reads when each was made", () => {
    const { heard, take } = tally();
    const payload = payloadOf(1);
    take(Buffer.from(JSON.stringify(payload)));
    expect(heard).toEqual([1, Number(payload.at)]);
  });

  it("follows each source by itself", () => {
    const { wrong, counts, take } = tally();
    for (const [seq, source] of [
      [1, 0],
      [1, 99],
      [2, 99],
      [2, 0],
    ] as const) {
      take(Buffer.from(JSON.stringify(payloadOf(seq, source))));
    }
    expect(wrong).toEqual([]);
    expect(counts.count).toBe(4);
  });

  it("looks at nothing past the message's end", () => {
    const { counts } = tally();
    const bytes = Buffer.concat([message([1]), message([2])]);
    counts.take(bytes, 0, message([1]).length);
    expect(counts.count).toBe(1);
  });
});
