import type { Link } from "./link.ts";

/**
 * What a connection carried when the client was told that its right had lapsed, by channel. Where the same connection goes on under the next token, the server may
 * still have what was left since: it has to be told.
 */
export class Carried<T> {
  #link: Link | undefined;
  #things: ReadonlyMap<string, T> = new Map();

  /** @returns what was left since, where it is the same connection that goes on */
  attach(link: Link, present: ReadonlyMap<string, T>): (readonly [channel: string, thing: T])[] {
    const left = link === this.#link ? [...this.#things].filter(([name, thing]) => present.get(name) !== thing) : [];
    this.#link = link;
    this.#things = new Map();
    return left;
  }

  detach(present: ReadonlyMap<string, T>): void {
    this.#things = new Map(present);
  }
}
