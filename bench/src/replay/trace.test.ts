import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { Text } from "./text.ts";
import { parseTrace, readTrace } from "./trace.ts";

const SEQUENTIAL = JSON.stringify({
  startContent: "",
  endContent: "hello",
  txns: [
    { timestamp: "2020-10-18T07:27:11.000Z", patches: [[0, 0, "hallo"]] },
    { timestamp: "2020-10-18T07:27:12.000Z", patches: [[1, 1, "e"]] },
  ],
});

describe("parseTrace", () => {
  it("reads a sequential trace whose transactions lead to its end", () => {
    const trace = parseTrace(SEQUENTIAL, "small.json");
    const text = new Text(trace.startContent);
    for (const patches of trace.transactions) text.apply(patches);
    expect(text.toString()).toBe(trace.endContent);
  });

  it("says that a concurrent trace comes with documents", () => {
    const concurrent = JSON.stringify({ kind: "concurrent", endContent: "", numAgents: 2, txns: [] });
    expect(() => parseTrace(concurrent, "two.json")).toThrow(/concurrent trace.*documents/);
  });

  it.each([["not json"], ["[]"], ['{"endContent":"","txns":[{"patches":[[-1,0,""]]}]}']])("refuses %s", (text) => {
    expect(() => parseTrace(text, "x")).toThrow(expect.objectContaining({ name: "TraceError" }));
  });
});

describe("readTrace", () => {
  it("reads plain and zipped files, and says which file is missing", () => {
    const folder = mkdtempSync(join(tmpdir(), "tandem-trace-"));
    try {
      writeFileSync(join(folder, "a.json"), SEQUENTIAL);
      writeFileSync(join(folder, "a.json.gz"), gzipSync(SEQUENTIAL));
      expect(readTrace(join(folder, "a.json.gz"))).toEqual(readTrace(join(folder, "a.json")));
      expect(() => readTrace(join(folder, "b.json"))).toThrow(/b\.json cannot be read/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
