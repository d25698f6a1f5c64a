import type { Outgoing } from "../delivery/message.ts";
import type { Ticks } from "./latest.ts";

/** Letters of one piece, about: what is long goes out piece by piece, each when there is room for it. */
export const PIECE = 32_768;

/** Makes what many watchers are told once for all who ask for the same between two ticks. */
export class Pieces {
  readonly #ticks: Ticks;
  readonly #made = new Map<string, readonly Outgoing[]>();
  #tick = 0;

  constructor(ticks: Ticks) {
    this.#ticks = ticks;
  }

  get(tick: number | undefined, group: string | undefined, make: () => readonly Outgoing[]): readonly Outgoing[] {
    if (this.#tick !== this.#ticks.now) {
      this.#tick = this.#ticks.now;
      this.#made.clear();
    }
    // A group may be any text: it stands last.
    const key = `${tick ?? ""}/${group === undefined ? "" : `=${group}`}`;
    let pieces = this.#made.get(key);
    if (!pieces) {
      pieces = make();
      this.#made.set(key, pieces);
    }
    return pieces;
  }
}
