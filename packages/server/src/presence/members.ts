import type { Outgoing } from "../delivery/message.ts";
import { ofText } from "../delivery/message.ts";
import { Bookmarks } from "./bookmarks.ts";
import type { Entry } from "./entry.ts";
import { memberText } from "./entry.ts";
import type { Ticks } from "./latest.ts";
import { Latest } from "./latest.ts";
import { PIECE, Pieces } from "./pieces.ts";
import type { Changing } from "./watcher.ts";

/** What of a room is told beside its members: when it last changed, and what it is. */
export interface Summary {
  readonly count: number;
  readonly signalMs: number;
  /** The tick of the last change of either. */
  readonly tick: number;
}

/**
 * The devices of a room as its watchers are shown them. Everybody is shown the `front`: all, in a room of up to `show` devices, else those that came first.
 * In a larger room a watcher is shown those `near` it as well.
 */
export class Members implements Changing {
  readonly share = 0.75;
  readonly isFresh = true;
  readonly ticks: Ticks;
  readonly #channel: string;
  readonly #show: number;
  readonly #summary: () => Summary;
  readonly #front: Latest<Entry>;
  /** Devices that are not in the front, in the order in which they came. */
  readonly #behind = new Map<string, Entry>();
  readonly #near = new Map<string, Latest<Entry>>();
  readonly #pieces: Pieces;
  readonly #bookmarks: Bookmarks;
  /** The tick from which on everybody is shown to everybody; infinity while that is not so. */
  #wholeFrom = 0;

  constructor(channel: string, show: number, ticks: Ticks, summary: () => Summary, digest: (text: string) => string) {
    this.#channel = channel;
    this.#show = show;
    this.ticks = ticks;
    this.#summary = summary;
    this.#front = new Latest(ticks);
    this.#pieces = new Pieces(ticks);
    this.#bookmarks = new Bookmarks(ticks, digest);
  }

  /** Is everybody shown to everybody? */
  get whole(): boolean {
    return this.#behind.size === 0;
  }

  /** Who was told at an earlier tick than this was told of a part of the room. */
  get wholeFrom(): number {
    return this.#wholeFrom;
  }

  /** A device has come or changed. @param before where it was */
  set(entry: Entry, before: string | undefined): void {
    const { device, near } = entry;
    if (this.#front.has(device) || (this.whole && this.#front.size < this.#show)) this.#front.set(device, entry);
    else {
      this.#behind.set(device, entry);
      this.#wholeFrom = Number.POSITIVE_INFINITY;
    }
    if (before !== near) this.#leave(device, before);
    if (near === undefined) return;
    let around = this.#near.get(near);
    if (!around) {
      around = new Latest(this.ticks);
      this.#near.set(near, around);
    }
    around.set(device, entry);
  }

  /** A device has gone. */
  delete(device: string, before: string | undefined): void {
    this.#leave(device, before);
    if (!this.#behind.delete(device)) this.#followUp(device);
    if (this.whole && this.#wholeFrom > this.ticks.now) this.#wholeFrom = this.ticks.now + 1;
  }

  /** A device has gone from the front: who came next takes its place. */
  #followUp(device: string): void {
    this.#front.delete(device);
    const [next] = this.#behind;
    if (!next || this.#front.size >= this.#show) return;
    this.#behind.delete(next[0]);
    this.#front.set(next[0], next[1]);
  }

  #leave(device: string, near: string | undefined): void {
    const around = near === undefined ? undefined : this.#near.get(near);
    if (near === undefined || !around) return;
    around.delete(device);
    if (around.size === 0) this.#near.delete(near);
  }

  /** Are those of a group shown this device? */
  shows(device: string, group: string | undefined): boolean {
    return this.#front.has(device) || (group !== undefined && this.#near.get(group)?.has(device) === true);
  }

  since(tick: number | undefined, group: string | undefined): readonly Outgoing[] {
    // Who was told of a part is told also who has gone from it, once.
    const around = this.whole && (tick === undefined || tick >= this.#wholeFrom) ? undefined : group;
    return this.#pieces.get(tick, around, () => this.#make(tick, around));
  }

  bookmark(group: string | undefined): string {
    const around = this.#around(group);
    return this.#bookmarks.at(around, () => this.#texts(around));
  }

  tickOf(bookmark: string, group: string | undefined): number | undefined {
    const around = this.#around(group);
    return this.#bookmarks.tickOf(bookmark, around, () => this.#texts(around));
  }

  #around(group: string | undefined): string | undefined {
    return this.whole ? undefined : group;
  }

  /** All that those of a group are shown. */
  #texts(group: string | undefined): string[] {
    const { count, signalMs } = this.#summary();
    const shown = new Map<string, Entry>();
    for (const map of this.#maps(group)) map.all((device, entry) => shown.set(device, entry));
    return [`${count} ${signalMs}`, ...[...shown.values()].map(memberText)];
  }

  #maps(group: string | undefined): Latest<Entry>[] {
    const around = group === undefined ? undefined : this.#near.get(group);
    return around ? [this.#front, around] : [this.#front];
  }

  #make(tick: number | undefined, group: string | undefined): readonly Outgoing[] {
    const maps = this.#maps(group);
    const from = tick !== undefined && maps.every((map) => map.reaches(tick)) ? tick : undefined;
    const shown = new Map<string, Entry>();
    const gone = new Set<string>();
    for (const map of maps) {
      if (from === undefined) map.all((device, entry) => shown.set(device, entry));
      else map.since(from, (device, entry) => (entry ? shown.set(device, entry) : gone.add(device)));
    }
    for (const device of gone) if (this.shows(device, group)) gone.delete(device);
    const summary = this.#summary();
    if (from !== undefined && shown.size === 0 && gone.size === 0 && summary.tick <= from) return [];
    return this.#messages(from === undefined, [...shown.values()].map(memberText), [...gone], summary);
  }

  #messages(full: boolean, members: readonly string[], gone: readonly string[], summary: Summary): Outgoing[] {
    const head = JSON.stringify({ type: "members", channel: this.#channel, ...(full ? { full } : {}) }).slice(0, -1);
    const rest = JSON.stringify({ type: "members", channel: this.#channel }).slice(0, -1);
    const { count, signalMs } = summary;
    const tail = `"count":${count},"signalMs":${signalMs}}`;
    const parts = cut(members);
    return parts.map((part, at) => {
      const left = at === 0 && gone.length > 0 ? `"gone":${JSON.stringify(gone)},` : "";
      const more = at < parts.length - 1 ? '"more":true,' : "";
      return ofText(`${at === 0 ? head : rest},"members":[${part.join(",")}],${more}${left}${tail}`);
    });
  }
}

/** Texts in parts of about the length of a piece; one part at least. */
function cut(texts: readonly string[]): string[][] {
  const parts: string[][] = [];
  let part: string[] = [];
  let length = 0;
  for (const text of texts) {
    if (length + text.length > PIECE && part.length > 0) {
      parts.push(part);
      part = [];
      length = 0;
    }
    part.push(text);
    length += text.length;
  }
  parts.push(part);
  return parts;
}
