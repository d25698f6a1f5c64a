/** The count of a room's ticks: changes are numbered by the tick in which they go out. */
export interface Ticks {
  now: number;
  /** Something has changed since, and goes out with the next one. */
  isDue: boolean;
}

/** Keys that are gone are remembered up to this many, or as many as there are keys: who is further behind is given everything. */
const REMEMBERED = 256;

/**
 * A map in which the latest value wins, and whose changes carry the tick in which they go out: who has seen everything up to a tick is told
 * what is newest since then, however much came between. Nothing is queued for anyone.
 */
export class Latest<V> {
  readonly #ticks: Ticks;
  readonly #values = new Map<string, { readonly value: V; readonly tick: number }>();
  /** Keys that were taken out, oldest first. */
  readonly #gone = new Map<string, number>();
  /** What went out of `#gone` was taken out up to this tick. */
  #floor = 0;
  /** Keys that change in the tick to come, and those of the one before it: what almost everybody asks for. */
  #coming = { tick: 0, keys: new Set<string>() };
  #last = { tick: 0, keys: new Set<string>() };

  constructor(ticks: Ticks) {
    this.#ticks = ticks;
  }

  get size(): number {
    return this.#values.size;
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }

  get(key: string): V | undefined {
    return this.#values.get(key)?.value;
  }

  set(key: string, value: V): void {
    this.#values.set(key, { value, tick: this.#touch(key) });
    this.#gone.delete(key);
  }

  delete(key: string): void {
    if (!this.#values.delete(key)) return;
    this.#gone.set(key, this.#touch(key));
    if (this.#gone.size <= Math.max(REMEMBERED, this.#values.size)) return;
    const [oldest] = this.#gone;
    if (!oldest) return;
    this.#gone.delete(oldest[0]);
    this.#floor = oldest[1];
  }

  #touch(key: string): number {
    const tick = this.#ticks.now + 1;
    if (this.#coming.tick !== tick) {
      this.#last = this.#coming;
      this.#coming = { tick, keys: new Set() };
    }
    this.#coming.keys.add(key);
    return tick;
  }

  /** Can what has changed since `tick` still be told? */
  reaches(tick: number): boolean {
    return tick >= this.#floor;
  }

  all(visit: (key: string, value: V) => void): void {
    for (const [key, { value }] of this.#values) visit(key, value);
  }

  /** Visits what has changed after `tick`; `undefined`: it is gone. */
  since(tick: number, visit: (key: string, value: V | undefined) => void): void {
    if (tick >= this.#ticks.now - 1) {
      for (const { tick: changed, keys } of [this.#last, this.#coming]) {
        if (changed > tick) for (const key of keys) visit(key, this.get(key));
      }
      return;
    }
    for (const [key, slot] of this.#values) if (slot.tick > tick) visit(key, slot.value);
    for (const [key, gone] of this.#gone) if (gone > tick) visit(key, undefined);
  }
}
