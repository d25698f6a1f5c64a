/**
 * A seeded source of chance: sfc32 (Chris Doty-Humphrey, public domain). Everything that is left to chance in a
 * schedule comes from one of these, so that a seed tells the whole schedule.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #count = 1;

  constructor(seed: number, stream = 0) {
    this.#a = seed | 0;
    this.#b = stream | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let round = 0; round < 12; round++) this.#next();
  }

  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#count) | 0;
    this.#count = (this.#count + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  unit(): number {
    return this.#next() / 0x1_0000_0000;
  }

  /** A number in [least, most). */
  between(least: number, most: number): number {
    return least + this.unit() * (most - least);
  }

  /** A whole number in [least, most]. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.unit() < probability;
  }

  /** Exponentially spread around a mean, at most ten times of it: mostly short, now and then long. */
  around(mean: number): number {
    return Math.min(-Math.log(1 - this.unit()), 10) * mean;
  }

  pick<T>(list: readonly T[]): T {
    const item = list[Math.floor(this.unit() * list.length)];
    if (item === undefined) throw new RangeError("there is nothing to pick from");
    return item;
  }

  /** Picks a name by weight; names of weight 0 are never picked. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K {
    let total = 0;
    for (const name in weights) total += weights[name];
    let at = this.unit() * total;
    for (const name in weights) {
      at -= weights[name];
      if (at < 0) return name;
    }
    throw new RangeError("no weight is above 0");
  }

  /** A source of its own: what is drawn from it moves nothing else. */
  fork(): Random {
    return new Random(this.#next(), this.#next());
  }
}
