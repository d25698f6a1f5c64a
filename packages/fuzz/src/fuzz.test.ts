import { describe, expect, it } from "vitest";
import { CODECS, loadCorpus } from "./corpus.ts";
import { run } from "./run.ts";
import { scriptOf } from "./script.ts";
import { jsonOf, summaryOf, suspectsOf } from "./summary.ts";

/** Told apart from stalls by any machine, however busy it is. */
const BUSY = 5_000;

describe("a fuzzed server", { timeout: 300_000 }, () => {
  it("G12: reads 20,000 mutated frames, and a well-behaved client loses nothing", async () => {
    const outcome = await run({ frames: 20_000, seed: 20_261_120, connections: 24, mostStall: BUSY });
    expect(outcome.violations).toEqual([]);
    expect(outcome.frames).toBeGreaterThanOrEqual(20_000);
    expect(outcome.control).toBeGreaterThan(0);
    const { accepted = {}, refused = {} } = outcome.server ?? {};
    const recorded = new Set(
      Object.values(loadCorpus())
        .flat(2)
        .map(({ type }) => type),
    );
    expect(Object.keys(accepted).sort()).toEqual([...recorded].sort());
    expect(Object.keys(refused)).toEqual(
      expect.arrayContaining(["bad-frame", "bad-message", "too-deep", "too-many-messages"]),
    );
    expect(Object.keys(outcome.told.closes)).toEqual(
      expect.arrayContaining(["1002", "1007", "1009", "4400", "4401", "4407", "4408"]),
    );
    expect(summaryOf(outcome)).toContain("0 violations");
    expect(JSON.parse(jsonOf(outcome))).toMatchObject({ seed: 20_261_120, exits: 0, violations: [] });
  });

  it.each([
    ["exit", "the server's process ended (7)"],
    ["stall", "event loop stood still"],
    ["lose", "the control client"],
  ] as const)("that does wrong is found out, with the frames that led to it: %s", async (fault, violation) => {
    const mostStall = fault === "stall" ? 200 : BUSY;
    const outcome = await run({ frames: 1_000_000, seed: 1, connections: 4, fault, mostStall });
    expect(outcome.violations.join()).toContain(violation);
    expect(suspectsOf(outcome)).toMatch(/npm run fuzz -- --seed 1 --script \d+\n {2}[A-Za-z0-9+/]/);
  });
});

describe("scripts", () => {
  const supplies = { tokens: ["t0", "t1"], minted: "0mfxxxxx" };

  it("are the same for the same seed, and others for another", () => {
    const corpus = loadCorpus();
    const bytes = (seed: number) =>
      Array.from({ length: 20 }, (_, number) =>
        scriptOf(corpus, supplies, seed, number).frames.map((one) => one.bytes.toString("hex")),
      );
    expect(bytes(7)).toEqual(bytes(7));
    expect(bytes(7)).not.toEqual(bytes(8));
  });
});

describe("the corpus", () => {
  it.each(["json", "msgpack"] as const)("holds every message of a client, as %s", (codec) => {
    const types = loadCorpus()
      [codec].flat()
      .map(({ type }) => type);
    for (const type of [
      "hello",
      "refresh",
      "subscribe",
      "unsubscribe",
      "publish",
      "command",
      "state",
      "history",
      "watch",
      "unwatch",
      "enter",
      "leave",
      "roster",
      "signal",
      "follow",
      "unfollow",
      "received",
      "ping",
      "pong",
    ]) {
      expect(types).toContain(type);
    }
    expect(CODECS[codec].name).toBe(codec);
  });
});
