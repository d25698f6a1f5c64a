import type { Dialogue, Flush } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** A connection may be given this much at once, in milliseconds of its bandwidth. */
const BURST_MS = 250;

/** What may go beyond it: a piece that was being read when the last of it was used up, and a batch of live events. */
const OVERDRAFT = 65_536;

/** What is left of a connection's bandwidth. */
interface Purse {
  bytes: number;
  at: number;
}

/** G11: deliveries take no more of a connection's bandwidth than its cap, beyond the burst. */
export class Pacing implements Watcher {
  readonly #scene: Scene;
  readonly #purses = new WeakMap<Dialogue, Purse>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  flushed(dialogue: Dialogue, { frames }: Flush): void {
    const { clock, limits, tally } = this.#scene;
    if (limits.bytesPerSecond === 0) return;
    const perMs = limits.bytesPerSecond / 1_000;
    const purse = this.#purses.get(dialogue) ?? { bytes: perMs * BURST_MS, at: clock.now };
    this.#purses.set(dialogue, purse);
    purse.bytes = Math.min(perMs * BURST_MS, purse.bytes + (clock.now - purse.at) * perMs);
    purse.at = clock.now;
    for (const { bytes, delivers } of frames) if (delivers) purse.bytes -= bytes;
    if (purse.bytes < 0) tally.count("path", "paced");
    if (purse.bytes < -OVERDRAFT)
      dialogue.wrong(
        "G11",
        `${Math.round(-purse.bytes)} bytes were handed over beyond ${limits.bytesPerSecond} a second`,
      );
  }
}
