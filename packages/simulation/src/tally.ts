export type Kind = "fault" | "path" | "operation";

/** Counts how often each fault, path and operation was met. */
export class Tally {
  readonly #counts: Readonly<Record<Kind, Map<string, number>>> = {
    fault: new Map(),
    path: new Map(),
    operation: new Map(),
  };

  count(kind: Kind, name: string, by = 1): void {
    const counts = this.#counts[kind];
    counts.set(name, (counts.get(name) ?? 0) + by);
  }

  get(kind: Kind, name: string): number {
    return this.#counts[kind].get(name) ?? 0;
  }

  /** By kind and name, in order of name. */
  all(): Record<Kind, Record<string, number>> {
    const inOrder = (counts: Map<string, number>) =>
      Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
    const { fault, path, operation } = this.#counts;
    return { fault: inOrder(fault), path: inOrder(path), operation: inOrder(operation) };
  }

  add(other: Record<Kind, Record<string, number>>): void {
    for (const [kind, counts] of Object.entries(other)) {
      for (const [name, count] of Object.entries(counts)) this.count(kind as Kind, name, count);
    }
  }
}
