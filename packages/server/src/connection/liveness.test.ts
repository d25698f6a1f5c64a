import { describe, expect, it } from "vitest";
import type { Signs } from "./liveness.ts";
import { Liveness } from "./liveness.ts";

const LIMITS = { pingMs: 25_000, pongMs: 10_000 };
const idle: Signs = { phase: "open", unacknowledged: 0, oldest: 0, buffered: 0 };

/** Judges once a second from `from` to `to`; what was said, and when. */
function judge(liveness: Liveness, from: number, to: number, signs: (now: number) => Signs): [number, string][] {
  const said: [number, string][] = [];
  for (let now = from; now <= to; now += 1_000) {
    const verdict = liveness.judge(now, signs(now));
    if (verdict) said.push([now, verdict]);
  }
  return said;
}

describe("liveness", () => {
  it("G11: gives a stranger ten seconds", () => {
    expect(judge(new Liveness(LIMITS, 0), 0, 11_000, () => ({ ...idle, phase: "new" }))).toEqual([
      [11_000, "handshake-timeout"],
    ]);
  });

  it("pings once in silence, and gives up where no sign of life follows", () => {
    expect(judge(new Liveness(LIMITS, 0), 0, 37_000, () => idle)).toEqual([
      [26_000, "ping"],
      [37_000, "ping-timeout"],
    ]);
  });

  it("any frame is a sign of life", () => {
    const liveness = new Liveness(LIMITS, 0);
    judge(liveness, 0, 30_000, () => idle);
    liveness.heard(30_000);
    expect(judge(liveness, 31_000, 55_000, () => idle)).toEqual([]);
  });

  it("G13: probes a reader without progress after 15 s, once, and gives it up after 30 s", () => {
    const liveness = new Liveness({ ...LIMITS, pingMs: 300_000 }, 0);
    expect(judge(liveness, 0, 31_000, () => ({ ...idle, unacknowledged: 9 }))).toEqual([
      [16_000, "ping"],
      [31_000, "no-progress"],
    ]);
  });

  it("G13: gives a long frame the time that it takes, and asks for no pong that has to wait behind it", () => {
    const frame = { ...idle, unacknowledged: 32_768, oldest: 32_768 };
    expect(judge(new Liveness(LIMITS, 0), 0, 65_000, () => frame)).toEqual([
      [16_000, "ping"],
      [65_000, "no-progress"],
    ]);
    const endless = { ...idle, unacknowledged: 1e9, oldest: 1e9 };
    expect(judge(new Liveness(LIMITS, 0), 0, 301_000, () => endless).at(-1)).toEqual([301_000, "no-progress"]);
  });

  it("G13: acknowledgements are progress, and bytes that the socket took are too", () => {
    const acknowledging = new Liveness({ ...LIMITS, pingMs: 300_000 }, 0);
    for (let now = 10_000; now <= 100_000; now += 10_000) {
      acknowledging.progressed(now);
      expect(judge(acknowledging, now, now + 9_000, () => ({ ...idle, unacknowledged: 9 }))).toEqual([]);
    }
    const taking = new Liveness({ ...LIMITS, pingMs: 300_000 }, 0);
    const signs = (now: number) => ({ ...idle, unacknowledged: 9, buffered: 1_000_000 - now });
    expect(judge(taking, 0, 100_000, signs)).toEqual([]);
  });

  it("G10: gives who needs a fresh token a minute, from the moment it was asked for", () => {
    const liveness = new Liveness({ ...LIMITS, pingMs: 300_000 }, 0);
    liveness.suspended(5_000);
    const signs = (): Signs => ({ ...idle, phase: "needs-auth" });
    expect(judge(liveness, 5_000, 66_000, signs)).toEqual([[66_000, "needs-auth-timeout"]]);
    liveness.refreshed();
    expect(judge(liveness, 67_000, 90_000, () => idle)).toEqual([]);
  });
});
