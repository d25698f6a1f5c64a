import type { ChannelDefinition } from "@tandem/app";
import type { Filter, Position, ResetReason } from "@tandem/protocol";
import { samePosition, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { BusMessage } from "../bus/bus.ts";
import type { Selection, Visibility } from "../delivery/batch.ts";
import { Batch } from "../delivery/batch.ts";
import { Coverage } from "../delivery/coverage.ts";
import type { Outgoing } from "../delivery/message.ts";
import type { SharedEvent } from "../delivery/shared-event.ts";
import type { Next, Source, Subscriber } from "../delivery/subscriber.ts";
import { nameOf } from "../log/key.ts";
import type { AppendResult, ChannelKey, Head, Log, LogEvent } from "../log/log.ts";
import { UNBORN } from "../log/log.ts";
import type { Appending, Committed } from "./append-queue.ts";
import { AppendQueue } from "./append-queue.ts";
import { guarded, guardedKey, share, visibilityOf } from "./presentation.ts";
import type { RecentBounds } from "./recent.ts";
import { cutAtRun, PIECE_BYTES, Recent } from "./recent.ts";
import type { HistoryPage, Resumption } from "./replay.ts";
import { Replay } from "./replay.ts";
import { Selections } from "./selections.ts";

/** What one read takes when a node catches up with the log. */
const CATCH_UP = { events: 512, bytes: 262_144 };

/** What a channel needs of its node. */
export interface ChannelPorts {
  /** How much of each channel is remembered. */
  readonly recent: RecentBounds;
  readonly log: Log;
  readonly runtime: Runtime;
  send(message: BusMessage): void;
}

/**
 * A channel as this node knows it: its head, its newest events, its subscribers. Applies events in offset order only, whether
 * they come from its own appends, from the bus or from the log, and reads the log wherever there is a doubt.
 */
export class Channel implements Source {
  readonly key: ChannelKey;
  readonly name: string;
  readonly definition: ChannelDefinition;
  /** What of it a viewer may read; `undefined`: everything. Never throws. */
  readonly visible: Visibility | undefined;
  /** Which events replace each other where only the newest count. Never throws. */
  readonly conflationKey: (event: SharedEvent) => string;
  readonly #ports: ChannelPorts;
  readonly #queue: AppendQueue;
  readonly #replay: Replay;
  /** Made with the first filter, and the first range without an event for somebody. */
  #selections: Selections | undefined;
  #coverage: Coverage | undefined;
  readonly #subscribers = new Set<Subscriber>();
  #head: Head;
  /** That of the head, once it was asked for: one for all who stand there. */
  #position: Position | undefined;
  #recent: Recent;
  #catchingUp: Promise<boolean> | undefined;
  #doubted = false;
  /** What is done with it that takes its time. */
  #uses = 0;
  #closed = false;

  /** @param tail the newest events, contiguous up to the head */
  constructor(
    key: ChannelKey,
    definition: ChannelDefinition,
    ports: ChannelPorts,
    head: Head,
    tail: readonly LogEvent[],
  ) {
    this.key = key;
    this.name = nameOf(key);
    this.definition = definition;
    this.visible = guarded(visibilityOf(definition), ports.runtime.logger);
    this.conflationKey = guardedKey(definition.key, ports.runtime.logger);
    this.#ports = ports;
    this.#head = head;
    this.#queue = new AppendQueue(
      ports.log,
      (committed) => this.#committed(committed),
      () => this.doubt(),
      () => ports.runtime.randomId().slice(0, 12),
    );
    this.#replay = new Replay(this, ports);
    this.#recent = this.#remember(tail);
  }

  #remember(tail: readonly LogEvent[]): Recent {
    const { epoch } = this.#head;
    const [oldest, ...rest] = tail;
    if (!oldest) return new Recent(this.position, this.#ports.recent);
    const whole = oldest.offset === 1;
    const floor = whole ? { epoch, offset: 0, tag: "" } : { epoch, offset: oldest.offset, tag: oldest.tag };
    const recent = new Recent(floor, this.#ports.recent);
    for (const event of whole ? tail : rest) recent.push(share(event, this.definition, this.#ports.runtime.logger));
    return recent;
  }

  /** The channel's row, as far as this node knows it. */
  get head(): Head {
    return this.#head;
  }

  get position(): Position {
    const { epoch, offset, tag } = this.#head;
    const known = this.#position;
    if (known?.epoch === epoch && known.offset === offset && known.tag === tag) return known;
    this.#position = { epoch, offset, tag };
    return this.#position;
  }

  get recent(): Recent {
    return this.#recent;
  }

  /** Nobody listens, and nothing is under way. */
  get idle(): boolean {
    return this.#subscribers.size === 0 && this.#uses === 0 && !this.#queue.busy && !this.#catchingUp;
  }

  /** The channel is not let go while this goes on. */
  async during<T>(work: Promise<T>): Promise<T> {
    this.#uses++;
    try {
      return await work;
    } finally {
      this.#uses--;
    }
  }

  /** It was let go, and hears of nothing any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** @throws TandemError `internal` (to be asked again) when the channel was let go since it was opened */
  subscribe(subscriber: Subscriber): void {
    if (this.#closed) throw new TandemError("internal", "The channel was let go while it was being opened.");
    this.#subscribers.add(subscriber);
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#subscribers.delete(subscriber);
  }

  /** Appends by the log's rules. Rejects as `AppendQueue.push` does. */
  /** @param append with `now` where its events were decided for a time */
  append(append: Omit<Appending, "channel" | "now"> & { readonly now?: number }): Promise<AppendResult> {
    const { producer, events, refusal, model, fence, now = this.#ports.runtime.now() } = append;
    return this.#queue.push({ channel: this.key, producer, events, refusal, model, fence, now });
  }

  #committed(committed: Committed): void {
    this.#ports.send({ kind: "events", channel: this.key, ...committed });
    this.#apply(committed);
  }

  /** Events that another node committed. */
  receive(committed: Committed): void {
    this.#apply(committed);
  }

  #apply({ epoch, from, tagBefore, events }: Committed): void {
    const head = this.#head;
    const born = head.epoch === UNBORN && from === 0;
    if (this.#closed) return;
    if (epoch === head.epoch && from + events.length <= head.offset) {
      // Old news; or news of a history that was rewritten.
      const tag = this.#recent.tagAt(from + events.length);
      if (tag !== undefined && tag !== events[events.length - 1]?.tag) this.doubt();
      return;
    }
    const known = head.offset - from;
    const follows = (epoch === head.epoch || born) && known >= 0;
    if (!follows || (known === 0 ? tagBefore : events[known - 1]?.tag) !== head.tag) {
      this.doubt();
      return;
    }
    this.#advance(epoch, events.slice(known));
  }

  #advance(epoch: string, events: readonly LogEvent[]): void {
    const last = events[events.length - 1] as LogEvent;
    const from = this.#head.offset;
    const shared = events.map((event) => share(event, this.definition, this.#ports.runtime.logger));
    if (this.#head.epoch !== epoch) this.#recent = new Recent({ epoch, offset: 0, tag: "" }, this.#ports.recent);
    let { bytes } = this.#head;
    for (const event of shared) {
      this.#recent.push(event);
      bytes += event.stored.data?.length ?? 0;
    }
    const { offset, tag, time } = last;
    this.#head = { ...this.#head, epoch, offset, tag, time, bytes, count: this.#head.count + events.length };
    let start = 0;
    while (start < shared.length) {
      const end = cutAtRun(shared, start, PIECE_BYTES);
      const batch = new Batch(this.name, epoch, from + start, shared.slice(start, end), this.visible);
      for (const subscriber of this.#subscribers) subscriber.deliver(batch);
      start = end;
    }
  }

  /** Something may have been missed: reads on from the log. */
  doubt(): void {
    this.#doubted = true;
    void this.catchUp();
  }

  /**
   * Reads on from the log until its head. Resolves when this node knows what the log held when it was called; never rejects:
   * where the log cannot be read, the next doubt (at latest the regular look at the heads) tries again.
   *
   * @returns false when the log could not be read
   */
  catchUp(): Promise<boolean> {
    // A read that is under way may have looked before the event that the caller asks for: one more follows it.
    this.#doubted = true;
    this.#catchingUp ??= this.#keepUp();
    return this.#catchingUp;
  }

  async #keepUp(): Promise<boolean> {
    try {
      // The last look at `#doubted` and the end of `#catchingUp` are one step: no doubt falls between them.
      while (this.#doubted && !this.#closed) {
        this.#doubted = false;
        await this.#readToHead();
      }
      this.#catchingUp = undefined;
      return true;
    } catch (error) {
      this.#catchingUp = undefined;
      this.#ports.runtime.logger.warn({ error, channel: this.key }, "the log could not be read");
      return false;
    }
  }

  async #readToHead(): Promise<void> {
    for (;;) {
      const from = this.position;
      const result = await this.#ports.log.read(this.key, from, CATCH_UP);
      if (this.#closed) return;
      if (result.kind === "reset") {
        if (samePosition(this.position, from)) return this.#restart(result.head, result.reason);
        // News that came meanwhile moved the head: what was read is about the past, and is asked again.
        continue;
      }
      if (result.events.length === 0) return this.#note(result.head);
      const { head, tagBefore, events } = result;
      this.#apply({ epoch: head.epoch, from: from.offset, tagBefore, events });
    }
  }

  /** The channel's row was read: what else changed there? */
  observe(head: Head): void {
    this.#note(head);
    const { epoch, offset, tag } = this.#head;
    if (head.epoch !== epoch || head.offset !== offset || head.tag !== tag) this.doubt();
  }

  #note(head: Head): void {
    if (head.epoch !== this.#head.epoch || head.revision < this.#head.revision) return;
    // Also where events have come since the row was read: on a busy channel that is always so.
    if (head.revision !== this.#head.revision) {
      this.#recent = new Recent(this.position, this.#ports.recent);
      this.#replay.forget();
    }
    const { archived, revision } = head;
    this.#head = { ...this.#head, archived, revision };
    if (head.offset < this.#head.offset) return;
    // What was trimmed past this node's own head is learned with the events, or the reset, that it is behind by.
    const first = Math.min(head.first, this.#head.offset + 1);
    this.#head = { ...this.#head, first };
    if (head.offset === this.#head.offset) this.#head = { ...this.#head, count: head.count, bytes: head.bytes };
    this.#recent.forgetTo(first - 1);
  }

  #restart(head: Head, reason: ResetReason): void {
    this.#head = head;
    this.#recent = new Recent(this.position, this.#ports.recent);
    this.#replay.forget();
    for (const subscriber of this.#subscribers) subscriber.reset(this.position, reason);
  }

  next(after: Position): Next | Promise<Next> {
    return this.#replay.next(after);
  }

  covered(from: number, to: Position): Outgoing {
    this.#coverage ??= new Coverage(this.name);
    return this.#coverage.message(from, to);
  }

  /** A subscription's filter, made ready. @throws TandemError `invalid-filter` */
  select(filter: Filter): Selection {
    this.#selections ??= new Selections(this.definition);
    return this.#selections.of(filter);
  }

  /** Where a client that comes back with a position goes on. Rejects when the log cannot be read. */
  resume(position: Position): Promise<Resumption> {
    return this.#replay.resume(position);
  }

  /** The position from which the newest `n` events follow. Rejects when the log cannot be read. */
  back(n: number): Promise<Position> {
    return this.#replay.back(n);
  }

  /** A page of history, backwards. Rejects when the log cannot be read. */
  page(before: number | undefined, limit: number, bytes: number): Promise<HistoryPage> {
    return this.#replay.page(before, limit, bytes);
  }

  /** The channel is let go: nothing is told to anyone any more. */
  close(): void {
    this.#closed = true;
    this.#subscribers.clear();
  }
}
