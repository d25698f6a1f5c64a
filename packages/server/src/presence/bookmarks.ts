import type { Ticks } from "./latest.ts";

/** Letters of a bookmark: 96 bits. */
const LETTERS = 16;

/** Bookmarks that are remembered with their tick. Who brings an older one is told everything. */
const REMEMBERED = 256;

/**
 * Names what is shown at a tick by a digest of it, so that it has the same name on all nodes. A client that comes again with the name of what it was told
 * goes on from there: where it stands now there is nothing to tell, where it stood here before the difference.
 */
export class Bookmarks {
  readonly #ticks: Ticks;
  readonly #digest: (text: string) => string;
  /** Those of the present tick, by group. */
  readonly #made = new Map<string, string>();
  #tick = -1;
  /** The last tick at which there was what a bookmark names, by bookmark and group. */
  readonly #known = new Map<string, number>();

  /** @param digest one-way, as base64url */
  constructor(ticks: Ticks, digest: (text: string) => string) {
    this.#ticks = ticks;
    this.#digest = digest;
  }

  /** The bookmark of what a group is shown now. @param shown one text for each thing, and nothing that a tick to come will tell */
  at(group: string | undefined, shown: () => string[]): string {
    const { now } = this.#ticks;
    if (this.#tick !== now) {
      this.#tick = now;
      this.#made.clear();
    }
    const whom = group === undefined ? "" : `=${group}`;
    let bookmark = this.#made.get(whom);
    if (bookmark === undefined) {
      bookmark = this.#digest(shown().sort().join("\n")).slice(0, LETTERS);
      this.#made.set(whom, bookmark);
      this.#remember(`${bookmark} ${whom}`, now);
    }
    return bookmark;
  }

  #remember(name: string, tick: number): void {
    this.#known.delete(name);
    this.#known.set(name, tick);
    const [oldest] = this.#known.keys();
    if (this.#known.size > REMEMBERED && oldest !== undefined) this.#known.delete(oldest);
  }

  /** The tick up to which a client was told that brings this bookmark; `undefined`: that is not known here. */
  tickOf(bookmark: string, group: string | undefined, shown: () => string[]): number | undefined {
    this.at(group, shown);
    return this.#known.get(`${bookmark} ${group === undefined ? "" : `=${group}`}`);
  }
}
