import type { Position } from "@tandem/protocol";
import { chainTag } from "@tandem/protocol";
import type {
  Append,
  AppendResult,
  ChannelKey,
  Head,
  LogEvent,
  PageResult,
  ReadBounds,
  ReadResult,
  TrimBounds,
} from "./log.ts";
import { idsOf, UNBORN } from "./log.ts";
import { MemoryModels } from "./memory-models.ts";
import type { SnapshotHead } from "./model-log.ts";
import { modelNamed } from "./model-log.ts";
import { resume } from "./resume.ts";

/** One channel of the memory log: its row, and its events in order of offset. */
export class MemoryChannel {
  readonly #key: ChannelKey;
  #epoch = UNBORN;
  #offset = 0;
  #tag = "";
  #first = 1;
  /** Tag of the position before the first event that is kept. */
  #floor = "";
  #time = 0;
  #bytes = 0;
  #archived = false;
  #revision = 0;
  #events: LogEvent[] = [];
  #models = new MemoryModels();

  constructor(key: ChannelKey) {
    this.#key = key;
  }

  /** Was nothing ever appended, or was its life ended? */
  get unborn(): boolean {
    return this.#epoch === UNBORN;
  }

  get time(): number {
    return this.#time;
  }

  get archived(): boolean {
    return this.#archived;
  }

  get models(): MemoryModels {
    return this.#models;
  }

  /** Does nothing tell it from a channel that never was? */
  get nothing(): boolean {
    return this.unborn && !this.#archived && this.#models.empty;
  }

  head(): Head {
    return {
      channel: this.#key,
      epoch: this.#epoch,
      offset: this.#offset,
      tag: this.#tag,
      first: this.#first,
      time: this.#time,
      count: this.#events.length,
      bytes: this.#bytes,
      archived: this.#archived,
      revision: this.#revision,
    };
  }

  position(): Position {
    return { epoch: this.#epoch, offset: this.#offset, tag: this.#tag };
  }

  /** Stores the events of an append that was decided to be stored; none leave an unborn channel unborn. */
  store(append: Append): AppendResult & { readonly kind: "committed" } {
    const { events, model, now, birth } = append;
    const tagBefore = this.#tag;
    const run = this.#offset + 1;
    const ids = idsOf(append);
    if (events.length > 0) {
      if (this.unborn) this.#epoch = birth;
      this.#time = Math.max(this.#time, now);
    }
    const time = this.#time;
    const tags = events.map(({ type, version, data, author, trace }, index) => {
      const id = ids[index] as string;
      const tag = chainTag(this.#tag, id);
      const offset = ++this.#offset;
      this.#events.push({ offset, id, type, version, time, author, trace, data, tag, run });
      this.#bytes += byteLength(data);
      this.#tag = tag;
      return tag;
    });
    if (model) this.#models.append(model, ids, this.#offset);
    return { kind: "committed", epoch: this.#epoch, offset: run, time, tags, tagBefore };
  }

  read(after: Position | number, bounds: ReadBounds): ReadResult {
    const head = this.head();
    const from = resume(head, after);
    if (from.kind === "reset") return { kind: "reset", reason: from.reason, head };
    const start = from.offset + 1 - this.#first;
    const tagBefore = this.#events[start - 1]?.tag ?? this.#floor;
    if (from.tag !== undefined && from.tag !== tagBefore) return { kind: "reset", reason: "rewritten", head };
    return { kind: "run", head, tagBefore, events: this.#events.slice(start, this.#cut(start, bounds)) };
  }

  /** Keeps a snapshot whose position is one of this life, and from which the log can still be read on. */
  saveSnapshot(head: SnapshotHead, pieces: Iterable<string>): void {
    const { position } = head;
    if (position.epoch === UNBORN || this.read(position, { events: 1, bytes: 1 }).kind === "reset") return;
    this.#models.saveSnapshot(head, pieces);
  }

  /** The index after the last whole run that the bounds let in; the first run is always let in. */
  #cut(start: number, bounds: ReadBounds): number {
    let end = start;
    let bytes = 0;
    while (end < this.#events.length && (end === start || bytes < bounds.bytes)) {
      const next = this.#endOfRun(end);
      if (end > start && next - start > bounds.events) break;
      for (; end < next; end++) bytes += byteLength(this.#events[end]?.data);
    }
    return end;
  }

  #endOfRun(start: number): number {
    let end = start + 1;
    while (this.#events[end]?.run === this.#events[start]?.run && end < this.#events.length) end++;
    return end;
  }

  page(before: number | undefined, limit: number): PageResult {
    const end = Math.min(before ?? Number.POSITIVE_INFINITY, this.#offset + 1) - this.#first;
    const oldest = this.#events[Math.max(0, end - limit)];
    if (limit < 1 || end < 1 || !oldest) return { head: this.head(), events: [] };
    return { head: this.head(), events: this.#events.slice(oldest.run - this.#first, end) };
  }

  trim({ count, bytes, before }: TrimBounds): Head {
    const newest = this.#events.at(-1)?.run;
    const trimmable = this.#models.trimmable;
    let kept = this.#events.length;
    let start = 0;
    for (let event = this.#events[0]; event && event.run !== newest; event = this.#events[start]) {
      const over =
        kept > (count ?? Number.POSITIVE_INFINITY) ||
        this.#bytes > (bytes ?? Number.POSITIVE_INFINITY) ||
        event.time < (before ?? Number.NEGATIVE_INFINITY);
      const end = this.#endOfRun(start);
      if (!over || this.#first + end - 1 > trimmable) break;
      for (; start < end; start++, kept--) this.#bytes -= byteLength(this.#events[start]?.data);
    }
    const last = this.#events[start - 1];
    if (last) {
      this.#floor = last.tag;
      this.#first = last.offset + 1;
      this.#events = this.#events.slice(start);
    }
    return this.head();
  }

  redact(offset: number): boolean {
    const event = this.#events[offset - this.#first];
    if (!event) return false;
    if (event.data === undefined) return true;
    this.#bytes -= byteLength(event.data);
    this.#events[offset - this.#first] = { ...event, data: undefined };
    const model = modelNamed(event.type);
    if (model !== undefined) this.#models.forget(model, offset, this.#first === 1);
    this.#revision++;
    return true;
  }

  archive(archived: boolean): Head {
    if (archived !== this.#archived) this.#revision++;
    this.#archived = archived;
    return this.head();
  }

  remove(): void {
    this.#models.bury();
    if (this.unborn && !this.#archived) return;
    const revision = this.#revision + 1;
    const models = this.#models;
    this.#become(new MemoryChannel(this.#key));
    this.#models = models;
    this.#revision = revision;
  }

  clone(): MemoryChannel {
    const copy = new MemoryChannel(this.#key);
    copy.#become(this);
    return copy;
  }

  #become(other: MemoryChannel): void {
    this.#epoch = other.#epoch;
    this.#offset = other.#offset;
    this.#tag = other.#tag;
    this.#first = other.#first;
    this.#floor = other.#floor;
    this.#time = other.#time;
    this.#bytes = other.#bytes;
    this.#archived = other.#archived;
    this.#revision = other.#revision;
    this.#events = [...other.#events];
    this.#models = other.#models.clone();
  }
}

/** Bytes of a text in UTF-8. */
function byteLength(text: string | undefined): number {
  if (text === undefined) return 0;
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    // Each half of a surrogate pair counts two of its four bytes.
    if (unit > 0x7f) bytes += unit > 0x7ff && (unit < 0xd800 || unit > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
