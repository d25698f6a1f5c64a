export type Kind = "fault" | "path" | "operation";

/** Counts how often each fault, path and operation was met. */
export class Tally {
  readonly #counts = new Map<string, number>();

  count(kind: Kind, name: string, by = 1): void {
    const key = `${kind} ${name}`;
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + by);
  }

  get(kind: Kind, name: string): number {
    return this.#counts.get(`${kind} ${name}`) ?? 0;
  }

  /** By kind and name, in order of name. */
  all(): Record<Kind, Record<string, number>> {
    const all: Record<Kind, Record<string, number>> = { fault: {}, path: {}, operation: {} };
    for (const key of [...this.#counts.keys()].sort()) {
      const space = key.indexOf(" ");
      all[key.slice(0, space) as Kind][key.slice(space + 1)] = this.#counts.get(key) ?? 0;
    }
    return all;
  }

  add(other: Record<Kind, Record<string, number>>): void {
    for (const [kind, counts] of Object.entries(other)) {
      for (const [name, count] of Object.entries(counts)) this.count(kind as Kind, name, count);
    }
  }
}
