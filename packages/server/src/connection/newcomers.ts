import type { Limits } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Buckets, draw } from "./buckets.ts";

/** New guests are counted by the hour. */
const PERIOD_MS = 3_600_000;

/** Most guests that are remembered; the one that came longest ago is forgotten first, and is new when it comes again. */
const KNOWN = 20_000;

/**
 * Bounds how many guests an address may bring that were not here before: who takes a secret anew for each visit would have every
 * bound of a user anew. One who comes back costs nothing.
 */
export class Newcomers {
  readonly #limits: Pick<Limits, "guestsPerAddress">;
  readonly #runtime: Pick<Runtime, "elapsed">;
  readonly #addresses = new Buckets();
  readonly #known = new Set<string>();

  constructor(limits: Pick<Limits, "guestsPerAddress">, runtime: Pick<Runtime, "elapsed">) {
    this.#limits = limits;
    this.#runtime = runtime;
  }

  /** A guest comes. @returns 0 when it may, else the milliseconds to wait */
  greet(guest: string, address: string): number {
    if (!this.#known.delete(guest)) {
      const now = this.#runtime.elapsed();
      const { guestsPerAddress } = this.#limits;
      const { fullAt, wait } = draw(this.#addresses.fullAt(address), 1, guestsPerAddress, PERIOD_MS, now);
      if (wait > 0) return wait;
      this.#addresses.keep(address, fullAt, now);
    }
    this.#known.add(guest);
    const [oldest] = this.#known;
    if (this.#known.size > KNOWN && oldest !== undefined) this.#known.delete(oldest);
    return 0;
  }
}
