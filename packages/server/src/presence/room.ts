import type { ChannelDefinition, PresenceDefinition } from "@tandem/app";
import type { Activity, Lane } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { BusLine } from "../bus/line.ts";
import type { Place, PresenceWord, SignalWord } from "../bus/presence.ts";
import type { Outbox } from "../delivery/outbox.ts";
import { nameOf } from "../log/key.ts";
import type { ChannelKey } from "../log/log.ts";
import type { Entry } from "./entry.ts";
import { wordOf } from "./entry.ts";
import type { Ticks } from "./latest.ts";
import type { Summary } from "./members.ts";
import { Members } from "./members.ts";
import type { Near } from "./near.ts";
import { guardedNear } from "./near.ts";
import type { Budget, Heard } from "./roster.ts";
import { Roster } from "./roster.ts";
import { Signals } from "./signals.ts";
import { Watcher } from "./watcher.ts";

/** A tick takes a millisecond more for so many devices: the work of one grows with their square. */
const DEVICES_PER_MS = 50;

/** Longest time between two ticks, in milliseconds, that the size of a room makes. */
const MOST_TICK_MS = 250;

/** What a room needs of its node. */
export interface RoomPorts {
  readonly runtime: Runtime;
  readonly line: BusLine;
  readonly budget: Budget;
  /** Milliseconds between two ticks of a small room. */
  readonly tickMs: number;
  /** A one-way digest, as base64url. */
  digest(text: string): string;
}

/** Whose place it is. */
export interface Visitor {
  readonly device: string;
  readonly user: string;
  readonly name: string | undefined;
  /** Which connection of the device. */
  readonly connection: number;
}

/** What a device says of itself. */
export interface Saying {
  readonly seq: number;
  /** JSON text. */
  readonly state: string | undefined;
  readonly activity: Activity;
}

export interface WatchOptions {
  readonly outbox: Outbox;
  readonly lane: Lane;
  readonly device: string | undefined;
  readonly members: boolean;
  readonly signals: boolean;
  /** The client's bookmark, empty where it has none; left out where it is given none: its connection goes on. */
  readonly after: string | undefined;
}

/** A watching of one connection. */
export interface Watch {
  /** Names what its client has, for the connection that it comes with next. */
  bookmark(): string;
  /** Tells nothing until it is released. */
  hold(): void;
  release(): void;
  end(): void;
}

/** A channel's presence and signals on this node: who is there, what they signal, and who watches. While something is new, it ticks. */
export class Room {
  readonly key: ChannelKey;
  readonly roster: Roster;
  readonly #ports: RoomPorts;
  readonly #near: Near;
  readonly #members: Members;
  readonly #signals: Signals;
  readonly #ticks: Ticks = { now: 0, isDue: false };
  readonly #watchers = new Set<Watcher>();
  readonly #watchersOf = new Map<string, Set<Watcher>>();
  readonly #listeners = new Set<() => void>();
  /** Devices about which this node has something new to say to others. */
  readonly #toSay = new Set<string>();
  readonly #toSignal = new Map<string, readonly [device: string, key: string]>();
  readonly #summary = { count: 0, signalMs: 0, tick: 0 };
  /** Who is there has changed since the last tick. */
  #changed = false;
  #timer: Timer | undefined;
  /** When the next tick may come, of `elapsed`. */
  #next = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(key: ChannelKey, definition: ChannelDefinition & { presence: PresenceDefinition }, ports: RoomPorts) {
    this.key = key;
    this.#ports = ports;
    this.#near = guardedNear(definition.presence, ports.runtime.logger);
    this.roster = new Roster(ports.budget, (entry, before) => this.#shown(entry, before));
    const channel = nameOf(key);
    const { digest } = ports;
    this.#members = new Members(channel, definition.presence.show, this.#ticks, () => this.#summarize(), digest);
    const shows = (device: string, group: string | undefined) =>
      this.#members.whole || this.#members.shows(device, group);
    this.#signals = new Signals(channel, this.#ticks, () => ports.runtime.elapsed(), shows, digest);
    this.#summary.signalMs = this.tickMs;
  }

  /** Nobody is there or remembered, and nobody watches. */
  get isEmpty(): boolean {
    return this.roster.isEmpty && this.#watchers.size === 0 && this.#listeners.size === 0 && !this.#timer;
  }

  /** Milliseconds between two ticks now. */
  get tickMs(): number {
    const { tickMs } = this.#ports;
    return Math.max(tickMs, Math.min(MOST_TICK_MS, Math.round(tickMs + this.roster.devices / DEVICES_PER_MS)));
  }

  /** A device enters, or says something new of itself. @throws TandemError `too-many-members` */
  enter(visitor: Visitor, saying: Saying): void {
    const { device, user, connection } = visitor;
    const known = this.roster.get(device)?.place;
    // What was said before the loss may be said again on the same connection, as after a fresh token.
    const isBack = known?.connection === connection && known.phase === "lost";
    const turn = isBack ? Math.max(saying.seq, known.turn + 1) : saying.seq;
    this.#tell({ device, user, ...said(saying), place: { ...this.#placeOf(visitor, turn), phase: "here" } });
  }

  /** A device that is there says something new of itself by another way. @throws TandemError `not-a-member` */
  update({ device, user }: Visitor, saying: Saying): void {
    if (this.roster.present(device)?.user !== user) throw errorOf("not-a-member");
    this.#tell({ device, user, ...said(saying) });
  }

  /**
   * A device says goodbye, by whichever of its connections; also where this node has not heard of its place yet. @returns false when it has said since
   * that it is there: it stays
   */
  leave(visitor: Visitor, seq: number): boolean {
    const { device, user } = visitor;
    const known = this.roster.get(device);
    if (known && known.user !== user) return true;
    const { turn = 0, connection: highest = 0 } = known?.place ?? {};
    // At the same `seq` the higher connection counts: a goodbye that the transport says has that of what its client says next.
    if (seq < turn || (seq === turn && visitor.connection < highest)) return false;
    const connection = Math.max(visitor.connection, highest);
    const place = { ...this.#placeOf({ ...visitor, connection }, seq), phase: "left" as const };
    // Whatever its client has said of itself is newer than nothing.
    const word = known ? wordOf(known, false, 0) : { device, user, seq: 0, activity: "away" as const };
    this.#tell({ ...word, place });
    return true;
  }

  /** The connection by which a device was there has ended, or may not be there any more (`left`). */
  end({ device, connection }: Visitor, phase: "lost" | "left"): void {
    const known = this.roster.get(device);
    if (known?.place.node !== this.#ports.line.node || known.place.connection !== connection) return;
    const { turn, since, name } = known.place;
    const place = { connection, turn, lease: this.#ports.line.lease, since, phase, ...(name ? { name } : {}) };
    this.#tell({ ...wordOf(known, false, 0), place });
  }

  #placeOf({ device, connection, name }: Visitor, turn: number): Omit<Place, "phase"> {
    const since = this.roster.present(device)?.place.since ?? this.#ports.runtime.now();
    return { connection, turn, lease: this.#ports.line.lease, since, ...(name === undefined ? {} : { name }) };
  }

  /** Takes this node's own word, and passes it on. */
  #tell(word: PresenceWord): void {
    const { line, runtime } = this.#ports;
    const news = this.roster.apply(word, { node: line.node, number: 0, at: runtime.elapsed() });
    if (news === "full") throw errorOf("too-many-members", { retryAfter: 5_000 });
    if (!news) return;
    this.#toSay.add(word.device);
    this.#schedule();
  }

  /** Another node's words. */
  hear(words: readonly PresenceWord[], heard: Heard): void {
    for (const word of words) {
      if (this.roster.apply(word, heard) !== "full") continue;
      this.#ports.runtime.logger.warn({ channel: this.key, noise: "presence" }, "more devices are present than may be");
    }
  }

  /** A device signals. @throws TandemError `not-a-member` */
  signal({ device, user }: Visitor, words: readonly SignalWord[]): void {
    if (this.roster.present(device)?.user !== user) throw errorOf("not-a-member");
    for (const word of words) {
      if (this.#signals.set(word)) this.#toSignal.set(`${device}/${word[1]}`, [device, word[1]]);
    }
    this.#schedule();
  }

  /** Signals that another node has taken. */
  hearSignals(words: readonly SignalWord[]): void {
    for (const word of words) {
      if (this.roster.present(word[0]) && this.#signals.set(word)) this.#schedule();
    }
  }

  watch({ outbox, lane, device, members, signals, after }: WatchOptions): Watch {
    const marks = after?.split(".") ?? [];
    const ofMembers = members ? new Watcher(this.#members, outbox, lane, marks[0]) : undefined;
    const ofSignals = signals ? new Watcher(this.#signals, outbox, lane, marks[1]) : undefined;
    const watchers = [ofMembers, ofSignals].filter((watcher) => !!watcher);
    const own = device === undefined ? undefined : (this.#watchersOf.get(device) ?? new Set());
    if (own && device !== undefined) this.#watchersOf.set(device, own);
    const group = device === undefined ? undefined : this.roster.present(device)?.near;
    for (const watcher of watchers) {
      this.#watchers.add(watcher);
      own?.add(watcher);
      watcher.start(group);
    }
    return {
      bookmark: () => `${ofMembers?.bookmark ?? ""}.${ofSignals?.bookmark ?? ""}`,
      hold: () => {
        for (const watcher of watchers) watcher.hold();
      },
      release: () => {
        for (const watcher of watchers) watcher.release();
      },
      end: () => {
        for (const watcher of watchers) {
          watcher.end();
          this.#watchers.delete(watcher);
          own?.delete(watcher);
        }
        if (device !== undefined && own?.size === 0) this.#watchersOf.delete(device);
      },
    };
  }

  /** Calls `listener` after each tick that changed who is there. @returns the call that ends it */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something is to be told with the next tick. */
  #schedule(): void {
    if (this.#closed || this.#timer) return;
    const { runtime } = this.#ports;
    this.#ticks.isDue = true;
    this.#timer = runtime.timer(Math.max(0, this.#next - runtime.elapsed()), () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    // Counted from when it was due, so that a busy node's delays do not add up.
    const now = this.#ports.runtime.elapsed();
    this.#next = Math.max(this.#next, now - this.tickMs / 2) + this.tickMs;
    this.#summarize();
    this.#ticks.now++;
    this.#ticks.isDue = false;
    this.#passOn();
    for (const watcher of this.#watchers) watcher.offer();
    if (!this.#changed) return;
    this.#changed = false;
    for (const listener of this.#listeners) this.#call(listener);
  }

  /** One message for all that is new with this node's clients. */
  #passOn(): void {
    const { line } = this.#ports;
    if (this.#toSay.size > 0) {
      const words = [...this.#toSay].flatMap((device) => this.word(device) ?? []);
      this.#toSay.clear();
      line.send({ kind: "presence", channel: this.key, words });
    }
    if (this.#toSignal.size > 0) {
      const signals = [...this.#toSignal.values()].flatMap(([device, key]) => {
        const word = this.#signals.word(device, key);
        return word ? [word] : [];
      });
      this.#toSignal.clear();
      line.send({ kind: "signals", channel: this.key, signals });
    }
  }

  /** What this node has to say of a device at first hand. */
  word(device: string): PresenceWord | undefined {
    const entry = this.roster.get(device);
    const { line, runtime } = this.#ports;
    const held = entry?.place.node === line.node;
    return entry && (held || entry.saidBy === line.node) ? wordOf(entry, held, runtime.elapsed()) : undefined;
  }

  #summarize(): Summary {
    const { count } = this.roster;
    const signalMs = this.tickMs;
    const summary = this.#summary;
    if (summary.count !== count || summary.signalMs !== signalMs) {
      Object.assign(summary, { count, signalMs, tick: this.#ticks.now + 1 });
    }
    return summary;
  }

  #call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      this.#ports.runtime.logger.error({ error, channel: this.key }, "a listener of presence failed");
    }
  }

  #shown(entry: Entry, before: Entry["status"]): void {
    this.#changed = true;
    const near = entry.near;
    if (entry.status === undefined) {
      this.#members.delete(entry.device, near);
      this.#signals.forget(entry.device);
      entry.near = undefined;
    } else {
      entry.near = this.#near(entry.state);
      this.#members.set(entry, before === undefined ? undefined : near);
    }
    if (entry.near !== near) {
      const { wholeFrom } = this.#members;
      for (const watcher of this.#watchersOf.get(entry.device) ?? []) watcher.regroup(entry.near, wholeFrom);
    }
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const watcher of this.#watchers) watcher.end();
  }
}

function said({ seq, state, activity }: Saying): Pick<PresenceWord, "seq" | "state" | "activity"> {
  return { seq, ...(state === undefined ? {} : { state }), activity };
}
