/** How many there are under each name, so many at most. What has left is forgotten: only names that are there are kept. */
export class Places {
  readonly #most: number;
  readonly #taken = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Names that are there. */
  get size(): number {
    return this.#taken.size;
  }

  /** @returns the call that gives the place back, or `undefined` when all are taken */
  take(name: string): (() => void) | undefined {
    const taken = this.#taken.get(name) ?? 0;
    if (taken >= this.#most) return undefined;
    this.#taken.set(name, taken + 1);
    let here = true;
    return () => {
      if (!here) return;
      here = false;
      const left = (this.#taken.get(name) ?? 1) - 1;
      if (left > 0) this.#taken.set(name, left);
      else this.#taken.delete(name);
    };
  }
}
