import type { World } from "../world.ts";
import type { Foreman } from "./foreman.ts";

/** Between two looks, in milliseconds. */
const LOOK_MS = 250;

/** A consumer that failed again and again waits a minute at most before it tries once more; then it handles what is there, in milliseconds. */
const SETTLED_MS = 75_000;

/** Faults have stopped: every consumer runs, and has handled everything. */
export async function endConsumers(world: World, foreman: Foreman): Promise<void> {
  const { clock, history, tally } = world;
  const began = clock.now;
  for (;;) {
    const due = foreman.due();
    if (!due) return tally.count("path", "consumers-settled");
    if (clock.now > Math.max(began, due.since) + SETTLED_MS)
      return history.violate("consumer", clock.now, `${due.text}, ${SETTLED_MS} ms after all was well`);
    await clock.runUntil(clock.now + LOOK_MS);
  }
}
