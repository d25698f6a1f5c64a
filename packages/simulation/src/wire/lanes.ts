import { LANES } from "@tandem/protocol";
import type { Dialogue, Flush } from "./dialogue.ts";
import type { Scene } from "./scene.ts";
import type { Watcher } from "./watcher.ts";

/** D7, D13: of what is handed over together, nothing of a lane goes before anything of a more urgent one. */
export class Lanes implements Watcher {
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  flushed({ wrong }: Dialogue, { messages }: Flush): void {
    let lowest = 0;
    const delivering = new Set<number>();
    for (const { message, lane } of messages) {
      if (lane === undefined) continue;
      const rank = LANES.indexOf(lane);
      if (rank < lowest) return wrong("D13", `${message.type} of the ${lane} lane goes after ${LANES[lowest]} ones`);
      if (message.type === "events") delivering.add(rank);
      lowest = rank;
    }
    if (delivering.size > 1) this.#scene.tally.count("path", "lanes-in-one-flush");
  }
}
