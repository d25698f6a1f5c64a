import type { PresenceWord } from "../bus/presence.ts";
import type { Entry, HeldPlace } from "./entry.ts";
import { isNewer, isSame, REMEMBER_MS, statusOf } from "./entry.ts";

/** Who said a word, in which of its messages, and when this node heard it (of `elapsed`). */
export interface Heard {
  readonly node: string;
  readonly number: number;
  readonly at: number;
}

/** Room for entries, shared by all rosters of a node. */
export interface Budget {
  left: number;
  /** Kept for those who come: it takes nobody who is only known to have left. */
  readonly kept: number;
}

/** What a roster tells of what is shown: a device that has come or changed, or gone (`status` is undefined). */
export type Shown = (entry: Entry, before: Entry["status"]) => void;

/**
 * The devices in one channel. Words about them may come late, twice or out of order, from this node's clients or from other nodes: of each device
 * the newest word on its state and the newest on its place count, so that all nodes come to the same whatever way the words took.
 */
export class Roster {
  readonly #entries = new Map<string, Entry>();
  /** Those whose standing changes with time alone. */
  readonly #unsteady = new Set<Entry>();
  /** Devices that are shown, by user. */
  readonly #users = new Map<string, number>();
  readonly #budget: Budget;
  readonly #shown: Shown;
  #devices = 0;

  constructor(budget: Budget, shown: Shown) {
    this.#budget = budget;
    this.#shown = shown;
  }

  /** Users that are there. */
  get count(): number {
    return this.#users.size;
  }

  /** Is this user there? */
  has(user: string): boolean {
    return this.#users.has(user);
  }

  /** Devices that are there. */
  get devices(): number {
    return this.#devices;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** Does something change with time alone? */
  get isUnsteady(): boolean {
    return this.#unsteady.size > 0;
  }

  entries(): IterableIterator<Entry> {
    return this.#entries.values();
  }

  get(device: string): Entry | undefined {
    return this.#entries.get(device);
  }

  /** The entry of a device that is shown. */
  present(device: string): Entry | undefined {
    const entry = this.#entries.get(device);
    return entry?.status === undefined ? undefined : entry;
  }

  /** Takes a word. @returns whether it was news; `full`: there is no room for another device */
  apply(word: PresenceWord, heard: Heard): boolean | "full" {
    const known = this.#entries.get(word.device);
    if (!known) return word.place ? this.#admit(word, { ...word.place, node: heard.node }, heard) : false;
    if (known.user !== word.user) return false;
    const { since, name } = known.place;
    let news = false;
    if (word.seq > known.seq) {
      known.seq = word.seq;
      known.state = word.state;
      known.activity = word.activity;
      known.saidBy = heard.node;
      news = true;
    }
    const moved = word.place !== undefined && this.#place(known, { ...word.place, node: heard.node }, heard);
    const changed = news || known.place.since !== since || known.place.name !== name;
    if (news || moved) this.#show(known, heard.at, changed);
    return news || moved;
  }

  #admit(word: PresenceWord, place: HeldPlace, heard: Heard): boolean | "full" {
    // A goodbye that came before the word that its device was there is remembered, so that the place goes when that comes.
    if (place.phase === "left" && this.#budget.left <= this.#budget.kept) return false;
    if (this.#budget.left <= 0) return "full";
    this.#budget.left--;
    const { device, user, seq, state, activity } = word;
    const entry: Entry = {
      device,
      user,
      seq,
      state,
      activity,
      saidBy: heard.node,
      place,
      confirmed: heard.number,
      lostAt: lostAt(place, heard),
      lapsed: false,
      status: undefined,
      goneAt: undefined,
      near: undefined,
      json: undefined,
    };
    this.#entries.set(device, entry);
    this.#show(entry, heard.at, true);
    return true;
  }

  #place(known: Entry, place: HeldPlace, heard: Heard): boolean {
    if (isSame(place, known.place)) {
      known.confirmed = Math.max(known.confirmed, heard.number);
      return false;
    }
    if (!isNewer(place, known.place)) return false;
    known.place = place;
    known.confirmed = heard.number;
    known.lostAt = lostAt(place, heard);
    known.lapsed = false;
    return true;
  }

  /** A node has lapsed: its devices count as lost since it was last heard of. */
  lapse(node: string, heardAt: number, now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.place.node !== node || entry.lostAt !== undefined || entry.place.phase !== "here") continue;
      entry.lostAt = heardAt;
      entry.lapsed = true;
      this.#show(entry, now);
    }
  }

  /** A lapsed node is heard of again: its devices are back, those that have not left meanwhile. */
  revive(node: string, now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.place.node !== node || !entry.lapsed) continue;
      entry.lostAt = undefined;
      entry.lapsed = false;
      this.#show(entry, now);
    }
  }

  /** This process goes on under another name. */
  rename(from: string, to: string, lease: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.saidBy === from) entry.saidBy = to;
      if (entry.place.node === from) entry.place = { ...entry.place, node: to, lease };
    }
  }

  /**
   * A node has told everything that it holds, and those who have said goodbye to it. What it said before and does not name any more is mostly
   * with another node, whose word is still on its way: it counts as lost from now on.
   */
  retain(node: string, named: ReadonlySet<string> | undefined, upTo: number, now: number): void {
    for (const entry of this.#entries.values()) {
      if (entry.place.node !== node || entry.confirmed > upTo || named?.has(entry.device)) continue;
      entry.lostAt ??= now;
      this.#show(entry, now);
    }
  }

  /** Moves on what changes with time. */
  sweep(now: number): void {
    for (const entry of this.#unsteady) this.#show(entry, now);
  }

  /** Shows an entry as it is now. The one place where what is shown changes. */
  #show(entry: Entry, now: number, changed = false): void {
    const before = entry.status;
    const status = statusOf(entry, now);
    if (entry.lostAt !== undefined || status === undefined) this.#unsteady.add(entry);
    else this.#unsteady.delete(entry);
    if (status === undefined) {
      entry.goneAt ??= now;
      // One that its node may still have does not stand in the way of that node's word.
      if (entry.lapsed || now - entry.goneAt >= REMEMBER_MS) this.#remove(entry);
    } else entry.goneAt = undefined;
    if (status === before && !(changed && status !== undefined)) return;
    entry.status = status;
    entry.json = undefined;
    this.#tally(entry.user, before, status);
    this.#shown(entry, before);
  }

  #remove(entry: Entry): void {
    this.#unsteady.delete(entry);
    if (this.#entries.delete(entry.device)) this.#budget.left++;
  }

  #tally(user: string, before: Entry["status"], after: Entry["status"]): void {
    const change = Number(after !== undefined) - Number(before !== undefined);
    if (change === 0) return;
    this.#devices += change;
    const devices = (this.#users.get(user) ?? 0) + change;
    if (devices > 0) this.#users.set(user, devices);
    else this.#users.delete(user);
  }
}

function lostAt(place: HeldPlace, heard: Heard): number | undefined {
  return place.phase === "lost" ? heard.at - (place.lostFor ?? 0) : undefined;
}
