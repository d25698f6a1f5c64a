import type { Patch } from "./trace.ts";

/** A text that patches are applied to. Positions count code points. */
export class Text {
  readonly #points: string[];

  constructor(content: string) {
    this.#points = [...content];
  }

  /** @throws RangeError on a patch outside of the text: patches before it are missing, or came in another order */
  apply(patches: readonly Patch[]): void {
    for (const [position, deleted, inserted] of patches) {
      if (position + deleted > this.#points.length) {
        throw new RangeError(`a patch at ${position} takes ${deleted} of a text of ${this.#points.length} code points`);
      }
      this.#points.splice(position, deleted, ...inserted);
    }
  }

  toString(): string {
    return this.#points.join("");
  }
}
