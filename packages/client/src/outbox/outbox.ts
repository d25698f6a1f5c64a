import type { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { PublishOptions } from "../channel.ts";
import type { Link } from "../connection/link.ts";
import { ownRefusal } from "../connection/refusal.ts";
import { byteLength } from "../connection/sender.ts";
import { Line } from "./line.ts";
import { Entry } from "./publication.ts";
import { Written } from "./written.ts";

/** Channels whose producer is kept while nothing of theirs is unsettled. */
const LINES = 1_000;
/** Longest payload in bytes before a server has told its own limit. */
const LONGEST = 16_777_216;

export interface OutboxBounds {
  /** Most publishes that are not settled. */
  readonly queue: number;
  /** Most publishes on their way at a time. */
  readonly inFlight: number;
}

/** The publishes and commands that are not settled yet: in order on each channel, sent again until the server has settled them. */
export class Outbox {
  readonly pending: Cell<number>;
  readonly written = new Written();
  readonly #runtime: Runtime;
  readonly #bounds: OutboxBounds;
  readonly #onError: (error: unknown) => void;
  /** By channel, the least recently used first. */
  readonly #lines = new Map<string, Line>();
  /** Those with something unsettled, in the order of their turn. */
  readonly #active = new Set<Line>();
  #eventBytes = LONGEST;
  #link: Link | undefined;
  #closed = false;

  constructor(runtime: Runtime, bounds: OutboxBounds) {
    this.#runtime = runtime;
    this.#bounds = bounds;
    this.#onError = (error) => runtime.logger.error({ error }, "a listener of a publication threw");
    this.pending = new Cell(0, this.#onError);
  }

  publish(channel: string, event: string, data: unknown, { version, fence }: PublishOptions = {}): Entry {
    const entry = new Entry(event, data, (data) => ({ type: "publish", event, version, data, fence }), this.#onError);
    this.put(channel, entry);
    return entry;
  }

  /** Takes what is to be written: a command waits in its channel's line like any publish. */
  put(channel: string, entry: Entry): void {
    const refused = this.#judge(entry.body);
    if (refused) return entry.settle({ kind: "rejected", error: refused });
    const line = this.#line(channel);
    line.push(entry);
    this.#active.add(line);
    this.pending.set(this.pending.get() + 1);
    this.#link?.wake();
  }

  attach(link: Link): void {
    this.#link = link;
    this.#eventBytes = link.limits.eventBytes;
    link.wake();
  }

  detach(): void {
    this.#link = undefined;
    for (const line of this.#active) line.detach();
  }

  /** Sends what is due: first all that was sent before, then what is new, each channel in its turn. */
  fill(): void {
    const link = this.#link;
    if (!link) return;
    let room = Math.min(this.#bounds.inFlight, link.limits.inFlight);
    for (const line of this.#active) room -= line.inFlight;
    for (const line of this.#active) {
      for (; room > 0 && line.due(true); room--) line.send(link);
    }
    // Going to the end of the set, a line has its next turn after all others.
    for (const line of this.#active) {
      if (room <= 0 || this.#link !== link) return;
      if (!line.due(false)) continue;
      this.#active.delete(line);
      this.#active.add(line);
      const before = line.inFlight;
      line.send(link);
      room -= line.inFlight - before;
    }
  }

  /** Ends everything that is unsettled. */
  close(): void {
    this.#closed = true;
    this.detach();
    const entries = [...this.#active].flatMap((line) => line.clear());
    this.#active.clear();
    this.pending.set(0);
    for (const entry of entries) entry.abandon();
  }

  #judge(body: string): TandemError | undefined {
    if (this.#closed) return ownRefusal("closed");
    if (!body) return ownRefusal("invalid-data");
    if (body.length > this.#eventBytes || byteLength(body) > this.#eventBytes) return ownRefusal("event-too-large");
    return this.pending.get() >= this.#bounds.queue ? ownRefusal("queue-full") : undefined;
  }

  #line(channel: string): Line {
    const line = this.#lines.get(channel) ?? this.#newLine(channel);
    this.#lines.delete(channel);
    this.#lines.set(channel, line);
    return line;
  }

  #newLine(channel: string): Line {
    if (this.#lines.size >= LINES) {
      for (const [name, { isEmpty }] of this.#lines) {
        if (isEmpty) {
          this.#lines.delete(name);
          break;
        }
      }
    }
    const line: Line = new Line(channel, this.#runtime, {
      ready: () => this.#link?.wake(),
      settled: (entry, settlement) => {
        if (line.isEmpty) this.#active.delete(line);
        if (settlement.kind === "durable") this.written.note(channel, settlement.position);
        this.pending.set(this.pending.get() - 1);
        entry.settle(settlement);
      },
    });
    return line;
  }
}
