import type { Attendance } from "./attendance.ts";

export interface JitterOptions {
  readonly jitterMs: number;
  /** Each connection lives about this long: half as long to half as long again. */
  readonly lifeMs: number;
  /** How long its network is gone then. */
  readonly outageMs: number;
}

/** Cuts each client's network again and again. @returns how often, of all of them */
export async function jitter(attendance: Attendance, { jitterMs, lifeMs, outageMs }: JitterOptions): Promise<number> {
  let cuts = 0;
  let over = false;
  const timers = new Set<NodeJS.Timeout>();
  const later = (ms: number, action: () => void): void => {
    const timer = setTimeout(() => {
      timers.delete(timer);
      action();
    }, ms);
    timers.add(timer);
  };
  const life = (): number => lifeMs * (0.5 + Math.random());
  for (const attendant of attendance.attendants) {
    const cut = (): void => {
      if (over) return;
      // Who is not back yet is not cut again: its return would never be counted.
      if (attendant.awaitedSince !== undefined) return later(LOOK_MS, cut);
      cuts++;
      attendant.awaitedSince = Number.POSITIVE_INFINITY;
      attendant.member.cut();
      later(outageMs, () => {
        attendant.awaitedSince = performance.now();
        attendant.member.restore();
        later(life(), cut);
      });
    };
    // The first ones are spread over a whole life.
    later(Math.random() * lifeMs, cut);
  }
  await attendance.pause(jitterMs);
  over = true;
  // Those who are away get their network back in their time.
  await attendance.pause(outageMs);
  for (const timer of timers) clearTimeout(timer);
  return cuts;
}

const LOOK_MS = 500;
