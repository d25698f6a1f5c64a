import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemRuntime } from "@tandem/runtime";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createSqliteLog } from "../sqlite.ts";
import type { Call, Traced } from "./tracing.fixture.ts";
import { answersBeforeTheirSync, answersIn, parseTrace, publishUnder, STRACE } from "./tracing.fixture.ts";

let folder: string;
let file: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "tandem-faults-"));
  file = join(folder, "log.db");
  // The file is there already, so that a fault that counts calls meets commits and not the making of tables.
  await (await createSqliteLog({ file, runtime: systemRuntime() })).close();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Every answered event is in the log, once, where it was said to be. */
async function expectStoredOnce({ said }: Traced, appends: number): Promise<void> {
  const log = await createSqliteLog({ file, runtime: systemRuntime() });
  const stored = new Map<string, number[]>();
  for (const { channel } of await log.channels(undefined, 100)) {
    const { events } = await log.page(channel, undefined, 1_000_000);
    for (const { data, offset } of events) {
      const token = JSON.parse(data ?? "") as string;
      stored.set(token, [...(stored.get(token) ?? []), offset]);
    }
  }
  await log.close();
  const answered = new Map(
    said.filter((line) => line.startsWith("ack ")).map((line) => [line.split(" ")[1], [Number(line.split(" ")[2])]]),
  );
  expect(answered.size).toBe(appends);
  expect(stored).toEqual(answered);
}

/** The calls that the tracer made fail. */
function failed(calls: readonly Call[]): Call[] {
  return calls.filter(({ result }) => result.includes("(INJECTED)"));
}

// `npm test` says so when the tracer is missing; in CI that is a failure.
describe.skipIf(STRACE === undefined && process.env.CI === undefined)(
  "G1: faults of the disk",
  { timeout: 120_000 },
  () => {
    it("answers no append before the sync of its own commit has returned", async () => {
      // Late on both sides: an answer that does not wait for the sync is told in the middle of it.
      const fault = "fsync,fdatasync:delay_enter=150000:delay_exit=300000";
      const traced = await publishUnder(fault, folder, file, [64, 16, 3_072]);
      expect(traced.said.at(-1)).toBe("done");
      expect(answersIn(traced.calls)).toHaveLength(3_072);
      expect(answersBeforeTheirSync(traced.calls)).toEqual([]);
      await expectStoredOnce(traced, 3_072);
    });

    it("answers none while syncs fail, and goes on by itself when they no longer do", async () => {
      const traced = await publishUnder("fsync,fdatasync:error=EIO:when=6..10", folder, file, [8, 4, 400]);
      expect(traced.said.at(-1)).toBe("done");
      const failures = failed(traced.calls);
      const [first, last] = [failures[0]?.ended ?? 0, failures.at(-1)?.ended ?? 0];
      expect(failures).toHaveLength(5);
      expect(answersBeforeTheirSync(traced.calls)).toEqual([]);
      expect(traced.said).toContain("refused storage-unavailable");
      expect(traced.said.filter((line) => /^(not-)?writable/.test(line))).toEqual([
        expect.stringContaining(`not-writable Writing or reading ${file} failed`),
        "writable",
      ]);
      // Answers were given before and after, so that their absence in between says something.
      const answers = answersIn(traced.calls);
      expect(answers.some(({ at }) => at < first)).toBe(true);
      expect(answers.some(({ at }) => at > last)).toBe(true);
      await expectStoredOnce(traced, 400);
    });

    it("refuses appends while the disk is full, reads on, and goes on by itself when there is space", async () => {
      const traced = await publishUnder("pwrite64:error=ENOSPC:when=300..303", folder, file, [8, 4, 400]);
      expect(traced.said.at(-1)).toBe("done");
      expect(failed(traced.calls)).toHaveLength(4);
      expect(answersBeforeTheirSync(traced.calls)).toEqual([]);
      const full = traced.said.findIndex((line) => line.startsWith("not-writable"));
      const again = traced.said.indexOf("writable");
      expect(traced.said[full]).toBe(`not-writable The disk of ${file} is full.`);
      expect(again).toBeGreaterThan(full);
      const meanwhile = traced.said.slice(full, again);
      expect(meanwhile).toContain("refused storage-unavailable");
      expect(meanwhile).toContainEqual(expect.stringMatching(/^read \d+$/));
      await expectStoredOnce(traced, 400);
    });
  },
);

it("the check of answers and syncs notices an answer that did not wait", () => {
  const write = (token: string) => `7  pwrite64(9</f-wal>, "..\\"${token}\\"..", 4096, 56) = 4096`;
  const ack = (token: string) => `6  write(1<pipe:[1]>, "ack ${token} 1\\n", 10) = 10`;
  const one = "token-1-1-end";
  const sync = ["7  fsync(9</f-wal> <unfinished ...>", "7  <... fsync resumed>)     = 0 (DELAYED)"];
  const late = (lines: readonly string[]) => answersBeforeTheirSync(parseTrace(lines.join("\n")));
  expect(late([write(one), ...sync, ack(one)])).toEqual([]);
  expect(late([write(one), sync[0] ?? "", ack(one), sync[1] ?? ""])).toEqual([one]);
  expect(late([...sync, write(one), ack(one)])).toEqual([one]);
  expect(late([write(one), "7  fsync(9</f-wal>) = -1 EIO (Input/output error) (INJECTED)", ack(one)])).toEqual([one]);
  expect(late([write(one), "7  fsync(9</f>) = 0", ack(one)])).toEqual([one]);
});
