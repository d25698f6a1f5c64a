import type { Position } from "@tandem/protocol";
import type { Append, AppendResult, ChannelKey } from "@tandem/server/core";
import { idsOf } from "@tandem/server/core";
import { Editions } from "./editions.ts";

/** An event that the store committed, and all that went before it: the truth that everything else is held against. */
export interface Fact {
  readonly channel: ChannelKey;
  readonly epoch: string;
  readonly offset: number;
  readonly tag: string;
  readonly id: string;
  readonly previous: Fact | undefined;
  readonly type: string;
  /** The newest version of its schema, and its data in that, as JSON text: what readers are to be given. */
  readonly version: number;
  readonly data: string;
  readonly author: string | undefined;
  readonly time: number;
  readonly committedAt: number;
  /**
   * …for the first time: after a restoration the same may be committed again. Another body that is let in under its id then is
   * not the same.
   */
  readonly firstCommittedAt: number;
  /** Counts all commits of the store. */
  readonly serial: number;
  /** Number of the publish that it came from, as its payload tells; 0 where it tells none. */
  readonly publish: number;
  redactedAt: number | undefined;
  /** It was redacted once, in whatever history. */
  erased: boolean;
  /** A restored backup has taken it back. */
  lost: boolean;
}

/** A channel's present life. */
export interface Line {
  readonly epoch: string;
  readonly facts: readonly Fact[];
  /** Offset of the oldest event kept. */
  readonly first: number;
}

interface OwnLine extends Line {
  readonly facts: Fact[];
  first: number;
}

/** What a backup holds. */
export interface Backup {
  readonly at: number;
  readonly serial: number;
  readonly lines: ReadonlyMap<ChannelKey, Line>;
}

const PUBLISH = /"n":(\d+)/;

/** The number of the publish that a payload (JSON text) carries; 0 where it has none. */
export function publishNumber(data: string): number {
  const found = PUBLISH.exec(data);
  return found ? Number(found[1]) : 0;
}

/** Keeps what the store really did, seen from within it: every commit, trim, redaction, removal and restoration. */
export class Ledger {
  readonly #lines = new Map<ChannelKey, OwnLine>();
  /** By epoch and tag: two lives of a channel may tell the same. */
  readonly #byTag = new Map<ChannelKey, Map<string, Fact>>();
  readonly #byPublish = new Map<number, Fact[]>();
  readonly #byId = new Map<string, Fact[]>();
  /** When channels were removed, and when backups were restored. */
  readonly removals: { readonly at: number; readonly channel: ChannelKey }[] = [];
  readonly restorations: { readonly at: number; readonly backupAt: number }[] = [];
  readonly #editions: Editions;
  readonly #listeners: Ledger["committed"][] = [];
  #serial = 0;

  constructor(editions = new Editions()) {
    this.#editions = editions;
  }

  /** Events that were committed so far. */
  get commits(): number {
    return this.#serial;
  }

  /** The present life of a channel, or `undefined` when nothing was appended in it. */
  line(channel: ChannelKey): Line | undefined {
    return this.#lines.get(channel);
  }

  channels(): ChannelKey[] {
    return [...this.#lines.keys()];
  }

  /** The position at the end of a channel. */
  head(channel: ChannelKey): Position {
    const line = this.#lines.get(channel);
    const last = line?.facts.at(-1);
    if (last) return { epoch: last.epoch, offset: last.offset, tag: last.tag };
    return { epoch: "-", offset: 0, tag: "" };
  }

  /** When a channel's head was moved last. */
  movedAt(channel: ChannelKey): number {
    const removed = this.removals.findLast((removal) => removal.channel === channel)?.at ?? 0;
    const restored = this.restorations.at(-1)?.at ?? 0;
    return Math.max(this.#lines.get(channel)?.facts.at(-1)?.committedAt ?? 0, removed, restored);
  }

  /** The event after which a position stands, in this or any lost history. */
  at(channel: ChannelKey, position: Pick<Position, "epoch" | "offset" | "tag">): Fact | undefined {
    const fact = this.#byTag.get(channel)?.get(`${position.epoch} ${position.tag}`);
    return fact?.offset === position.offset ? fact : undefined;
  }

  /** Everything that was ever stored in the life of a channel that an event belongs to, after it. */
  after({ channel, epoch, offset }: Fact): Fact[] {
    const facts = [...(this.#byTag.get(channel)?.values() ?? [])];
    return facts.filter((fact) => fact.epoch === epoch && fact.offset > offset);
  }

  /** Has a restored backup taken back events of this life of a channel, up to this offset or further? */
  isTakenBack(channel: ChannelKey, { epoch, offset }: Pick<Position, "epoch" | "offset">): boolean {
    const facts = this.#byTag.get(channel)?.values() ?? [];
    return [...facts].some((fact) => fact.lost && fact.epoch === epoch && fact.offset >= offset);
  }

  /** What was stored for a publish, in every history and life. */
  ofPublish(publish: number): readonly Fact[] {
    return this.#byPublish.get(publish) ?? [];
  }

  /** The events of this id, in every history. */
  ofId(channel: ChannelKey, id: string): readonly Fact[] {
    return this.#byId.get(`${channel} ${id}`) ?? [];
  }

  /** The events in `(from, to]`, oldest first; `undefined` where `to` does not go on from `from`. */
  between(channel: ChannelKey, from: Position, to: { offset: number; tag: string }, epoch: string): Fact[] | undefined {
    if (to.offset === from.offset && to.tag === from.tag) return [];
    const facts: Fact[] = [];
    let fact = this.at(channel, { epoch, offset: to.offset, tag: to.tag });
    while (fact && fact.offset > from.offset) {
      facts.push(fact);
      fact = fact.previous;
    }
    const begins = from.offset === 0 ? facts.at(-1)?.offset === 1 : fact?.tag === from.tag && fact.epoch === from.epoch;
    return begins ? facts.reverse() : undefined;
  }

  /** Has `listener` hear of every batch, once its events are noted. */
  listen(listener: Ledger["committed"]): void {
    this.#listeners.push(listener);
  }

  committed(at: number, batch: readonly Append[], results: readonly AppendResult[]): void {
    results.forEach((result, index) => {
      const append = batch[index];
      if (append && result.kind === "committed") this.#store(at, append, result);
    });
    for (const listener of this.#listeners) listener(at, batch, results);
  }

  #store(at: number, append: Append, result: Extract<AppendResult, { kind: "committed" }>): void {
    const { channel } = append;
    let line = this.#lines.get(channel);
    if (line?.epoch !== result.epoch) {
      line = { epoch: result.epoch, facts: [], first: 1 };
      this.#lines.set(channel, line);
    }
    const tags = this.#byTag.get(channel) ?? new Map<string, Fact>();
    this.#byTag.set(channel, tags);
    const ids = idsOf(append);
    append.events.forEach((event, index) => {
      const { version, data } = this.#editions.newest(event);
      // Events of models have numbers of their own.
      const publish = event.type.includes(".") ? 0 : publishNumber(data);
      const id = ids[index] as string;
      const fact: Fact = {
        channel,
        epoch: result.epoch,
        offset: result.offset + index,
        tag: result.tags[index] ?? "",
        id,
        previous: line.facts.at(-1),
        type: event.type,
        version,
        data,
        author: event.author,
        time: result.time,
        committedAt: at,
        firstCommittedAt: this.ofId(channel, id).find(({ data }) => data === event.data)?.firstCommittedAt ?? at,
        serial: ++this.#serial,
        publish,
        redactedAt: undefined,
        erased: false,
        lost: false,
      };
      line.facts.push(fact);
      tags.set(`${fact.epoch} ${fact.tag}`, fact);
      this.#byId.set(`${channel} ${fact.id}`, [...this.ofId(channel, fact.id), fact]);
      if (publish > 0) this.#byPublish.set(publish, [...this.ofPublish(publish), fact]);
    });
  }

  /** @returns whether something went */
  trimmed(channel: ChannelKey, first: number): boolean {
    const line = this.#lines.get(channel);
    if (!line || line.first === first) return false;
    line.first = first;
    return true;
  }

  redacted(at: number, channel: ChannelKey, offset: number): void {
    const fact = this.#lines.get(channel)?.facts[offset - 1];
    if (!fact) return;
    fact.redactedAt ??= at;
    fact.erased = true;
  }

  removed(at: number, channel: ChannelKey): void {
    this.#lines.delete(channel);
    this.removals.push({ at, channel });
  }

  backup(at: number): Backup {
    const lines = new Map<ChannelKey, Line>();
    for (const [channel, { epoch, first, facts }] of this.#lines)
      lines.set(channel, { epoch, first, facts: facts.slice() });
    return { at, serial: this.#serial, lines };
  }

  /** The store was put back to a backup: what was committed since is lost. */
  restored(at: number, backup: Backup): void {
    for (const tags of this.#byTag.values()) {
      for (const fact of tags.values()) {
        if (fact.serial > backup.serial) fact.lost = true;
        if ((fact.redactedAt ?? 0) > backup.at) fact.redactedAt = undefined;
      }
    }
    this.#lines.clear();
    for (const [channel, { epoch, first, facts }] of backup.lines)
      this.#lines.set(channel, { epoch, first, facts: facts.slice() });
    this.restorations.push({ at, backupAt: backup.at });
  }
}
