import type { SignalWord } from "../bus/presence.ts";
import type { Outgoing } from "../delivery/message.ts";
import { ofText } from "../delivery/message.ts";
import { Bookmarks } from "./bookmarks.ts";
import type { Ticks } from "./latest.ts";
import { Latest } from "./latest.ts";
import { PIECE, Pieces } from "./pieces.ts";
import type { Changing } from "./watcher.ts";

/** A signal older than this, in milliseconds, tells a newcomer nothing. */
const FRESH_MS = 10_000;

interface Signalled {
  readonly device: string;
  readonly key: string;
  readonly seq: number;
  readonly at: number;
  /** JSON text; `null`: taken back. */
  readonly json: string;
  /** As it stands in a message: written once for all ticks and all watchers. */
  readonly text: string;
}

/** The newest signals of those in a room, of each device and key one. */
export class Signals implements Changing {
  readonly share = 0.5;
  readonly ticks: Ticks;
  readonly #channel: string;
  readonly #elapsed: () => number;
  readonly #shows: (device: string, group: string | undefined) => boolean;
  readonly #latest: Latest<Signalled>;
  readonly #keys = new Map<string, Set<string>>();
  readonly #pieces: Pieces;
  readonly #bookmarks: Bookmarks;
  /** When a signal last came or went, of `elapsed`. */
  #changedAt = Number.NEGATIVE_INFINITY;

  /** @param shows whether those of a group are shown a device's signals; `undefined` group: everybody */
  constructor(
    channel: string,
    ticks: Ticks,
    elapsed: () => number,
    shows: (device: string, group: string | undefined) => boolean,
    digest: (text: string) => string,
  ) {
    this.#channel = channel;
    this.ticks = ticks;
    this.#elapsed = elapsed;
    this.#shows = shows;
    this.#latest = new Latest(ticks);
    this.#pieces = new Pieces(ticks);
    this.#bookmarks = new Bookmarks(ticks, digest);
  }

  get isFresh(): boolean {
    return this.#elapsed() - this.#changedAt < FRESH_MS;
  }

  /** Takes a signal. @returns false when a newer one of that key is known */
  set([device, key, seq, json]: SignalWord): boolean {
    const name = nameOf(device, key);
    const known = this.#latest.get(name);
    if (known && known.seq >= seq) return false;
    const text = `"${device}":${json}`;
    this.#changedAt = this.#elapsed();
    this.#latest.set(name, { device, key, seq, at: this.#changedAt, json, text });
    const keys = this.#keys.get(device);
    if (keys) keys.add(key);
    else this.#keys.set(device, new Set([key]));
    return true;
  }

  /** A device's newest signal of a key. */
  word(device: string, key: string): SignalWord | undefined {
    const known = this.#latest.get(nameOf(device, key));
    return known && [device, key, known.seq, known.json];
  }

  /** A device has gone, and its signals with it. */
  forget(device: string): void {
    if (this.#keys.has(device)) this.#changedAt = this.#elapsed();
    for (const key of this.#keys.get(device) ?? []) this.#latest.delete(nameOf(device, key));
    this.#keys.delete(device);
  }

  since(tick: number | undefined, group: string | undefined): readonly Outgoing[] {
    return this.#pieces.get(tick, group, () => this.#make(tick, group));
  }

  bookmark(group: string | undefined): string {
    return this.#bookmarks.at(group, () => this.#names(group));
  }

  tickOf(bookmark: string, group: string | undefined): number | undefined {
    return this.#bookmarks.tickOf(bookmark, group, () => this.#names(group));
  }

  /** All that those of a group are shown, also what tells a newcomer nothing any more: who has been there has heard it. */
  #names(group: string | undefined): string[] {
    const names: string[] = [];
    this.#latest.all((name, { device, seq, json }) => {
      if (json !== "null" && this.#shows(device, group)) names.push(`${name} ${seq}`);
    });
    return names;
  }

  #make(tick: number | undefined, group: string | undefined): readonly Outgoing[] {
    const from = tick !== undefined && this.#latest.reaches(tick) ? tick : undefined;
    const writing = new Writing(this.#channel, from === undefined);
    if (from === undefined) {
      const oldest = this.#elapsed() - FRESH_MS;
      this.#latest.all((_, { device, key, at, json, text }) => {
        if (at >= oldest && json !== "null" && this.#shows(device, group)) writing.add(key, text);
      });
    } else {
      this.#latest.since(from, (name, signalled) => {
        const [device = "", key = ""] = name.split("/");
        if (!signalled) writing.add(key, `"${device}":null`);
        else if (this.#shows(device, group)) writing.add(key, signalled.text);
      });
    }
    return writing.done();
  }
}

/** The name of a device holds no slash. */
function nameOf(device: string, key: string): string {
  return `${device}/${key}`;
}

/** Messages of signals while they are written: by key, then by device, as JSON text. */
class Writing {
  readonly #channel: string;
  readonly #messages: Outgoing[] = [];
  #full: boolean;
  #keys = new Map<string, string[]>();
  #length = 0;

  constructor(channel: string, full: boolean) {
    this.#channel = channel;
    this.#full = full;
  }

  add(key: string, text: string): void {
    const texts = this.#keys.get(key);
    if (texts) texts.push(text);
    else this.#keys.set(key, [text]);
    this.#length += text.length;
    if (this.#length > PIECE) this.#end();
  }

  #end(): void {
    const head = { type: "signals", channel: this.#channel, ...(this.#full ? { full: true } : {}) };
    const keys = [...this.#keys].map(([key, texts]) => `"${key}":{${texts.join(",")}}`);
    this.#messages.push(ofText(`${JSON.stringify(head).slice(0, -1)},"signals":{${keys.join(",")}}}`));
    this.#full = false;
    this.#keys = new Map();
    this.#length = 0;
  }

  /** No message at all where there is nothing to say. */
  done(): readonly Outgoing[] {
    if (this.#keys.size > 0 || this.#full) this.#end();
    return this.#messages;
  }
}
