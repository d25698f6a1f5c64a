/** How often is looked, in milliseconds. */
const LOOK = 5;

/** The longest time in which an event loop did nothing new, in milliseconds. */
export interface Stall {
  /** By the clock. A busy machine makes it long, too. */
  readonly longest: number;
  /** What the loop's own thread computed in the time: what the server did itself. */
  readonly own: number;
}

/** Measures this thread's event loop from now on. @returns the call that tells the longest stall so far */
export function meterStalls(): () => Stall {
  let before = performance.now();
  let computed = computedUntilNow();
  let stall: Stall = { longest: 0, own: 0 };
  const timer = setInterval(() => {
    const now = performance.now();
    const computedNow = computedUntilNow();
    const longest = Math.max(0, now - before - LOOK);
    const own = Math.min(longest, computedNow - computed);
    stall = { longest: Math.max(stall.longest, longest), own: Math.max(stall.own, own) };
    before = now;
    computed = computedNow;
  }, LOOK);
  timer.unref();
  return () => ({ longest: Math.round(stall.longest), own: Math.round(stall.own) });
}

/** Milliseconds of CPU that this thread has used. */
export function computedUntilNow(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
