import type { Position, ResetReason } from "@tandem/protocol";
import { errorOf } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Batch } from "../delivery/batch.ts";
import type { SharedEvent } from "../delivery/shared-event.ts";
import { EVENT_HEAD } from "../delivery/shared-event.ts";
import type { Next } from "../delivery/subscriber.ts";
import type { Log, ReadResult } from "../log/log.ts";
import { UNBORN } from "../log/log.ts";
import type { Channel } from "./channel.ts";
import { share } from "./presentation.ts";
import { PIECE_BYTES } from "./recent.ts";

/** How a returning client's position stands: where it goes on, and why not from where it was. */
export interface Resumption {
  readonly position: Position;
  readonly reset?: ResetReason;
}

/** Pieces of recent history that are kept ready: clients that come back together read the same ones. */
const PIECES = 32;

/** Events that one read takes from the log for a replay. */
const PIECE_EVENTS = 256;

/** A replay whose read failed tries again after this, in milliseconds. */
const RETRY_MS = 500;

/** A page of history, in order of offset. */
export interface HistoryPage {
  readonly epoch: string;
  readonly events: readonly SharedEvent[];
  /** The `before` of the page before this one; left out where nothing older is kept. */
  readonly next: number | undefined;
}

/**
 * Replays a channel's history to those who are behind: from memory where it reaches, else from the log. Clients at
 * one place share one read and one encoding.
 */
export class Replay {
  readonly #channel: Channel;
  readonly #log: Log;
  readonly #runtime: Runtime;
  readonly #pieces = new Map<number, Batch>();
  readonly #reads = new Map<string, Promise<Next>>();

  constructor(channel: Channel, ports: { readonly log: Log; readonly runtime: Runtime }) {
    this.#channel = channel;
    this.#log = ports.log;
    this.#runtime = ports.runtime;
  }

  /** Drops what is ready: it may hold what was erased, or belong to another life of the channel. */
  forget(): void {
    this.#pieces.clear();
    this.#reads.clear();
  }

  next(position: Position): Next | Promise<Next> {
    const { head, recent } = this.#channel;
    const after = this.#born(position);
    if (after.epoch !== head.epoch) return this.#startAgain("epoch");
    if (after.offset > head.offset) return this.#startAgain("ahead");
    if (after.offset + 1 < head.first) return this.#startAgain("trimmed");
    const tag = recent.tagAt(after.offset);
    if (tag === undefined) return this.#readShared(after);
    if (tag !== after.tag) return this.#startAgain("rewritten");
    if (after.offset === head.offset) return { kind: "head" };
    return { kind: "batch", batch: this.#piece(after.offset) };
  }

  /** The beginning of an unborn channel is the beginning of any life that it has since been given. */
  #born(position: Position): Position {
    const { epoch } = this.#channel.head;
    return position.epoch === UNBORN && position.offset === 0 ? { epoch, offset: 0, tag: "" } : position;
  }

  #startAgain(reason: ResetReason): Next {
    return { kind: "reset", reason, position: this.#channel.position };
  }

  #piece(from: number): Batch {
    const ready = this.#pieces.get(from);
    if (ready) return ready;
    const { name, head, recent, visible } = this.#channel;
    const piece = new Batch(name, head.epoch, from, recent.after(from, PIECE_BYTES) ?? [], visible);
    const [oldest] = this.#pieces.keys();
    if (this.#pieces.size >= PIECES && oldest !== undefined) this.#pieces.delete(oldest);
    this.#pieces.set(from, piece);
    return piece;
  }

  #readShared(after: Position): Promise<Next> {
    const key = keyOf(after);
    const reading = this.#reads.get(key);
    if (reading) return reading;
    const read = this.#readFromLog(after);
    this.#reads.set(key, read);
    void read.finally(() => {
      if (this.#reads.get(key) === read) this.#reads.delete(key);
    });
    return read;
  }

  async #readFromLog(after: Position): Promise<Next> {
    const result = await this.#readPatiently(after);
    if (!result) return { kind: "head" };
    if (result.kind === "reset" || result.head.epoch !== this.#channel.head.epoch) {
      await this.#channel.catchUp();
      return this.#startAgain(result.kind === "reset" ? result.reason : "epoch");
    }
    // The log may be ahead of this node: what lies past the node's head comes when the node gets there.
    const known = result.events.filter((event) => event.offset <= this.#channel.head.offset);
    if (known.length === 0) {
      // The log may also be behind this node (a restored past): then the node starts again with it.
      if (result.events.length === 0) await this.#channel.catchUp();
      this.#reads.delete(keyOf(after));
      return this.next(after);
    }
    const { name, definition, visible } = this.#channel;
    const shared = known.map((event) => share(event, definition, this.#runtime.logger));
    return { kind: "batch", batch: new Batch(name, result.head.epoch, after.offset, shared, visible) };
  }

  /** @returns undefined when the channel was let go meanwhile: nobody reads it any more */
  async #readPatiently(after: Position): Promise<ReadResult | undefined> {
    while (!this.#channel.closed) {
      try {
        return await this.#log.read(this.#channel.key, after, { events: PIECE_EVENTS, bytes: PIECE_BYTES });
      } catch (error) {
        this.#runtime.logger.warn(
          { error, channel: this.#channel.key },
          "a replay could not be read, it is tried again",
        );
        await new Promise<void>((resolve) => this.#runtime.timer(RETRY_MS, resolve));
      }
    }
    return undefined;
  }

  async resume(position: Position): Promise<Resumption> {
    if (position.offset > this.#channel.head.offset || this.#born(position).epoch !== this.#channel.head.epoch) {
      const read = await this.#channel.catchUp();
      if (!read) throw errorOf("storage-unavailable", { retryAfter: RETRY_MS });
    }
    const next = this.#stand(this.#born(position));
    if (next !== "unknown") return next;
    const result = await this.#log.read(this.#channel.key, position, { events: 1, bytes: 1 });
    const { epoch } = this.#channel.head;
    if (result.kind === "run" && result.head.epoch === epoch) return { position: this.#born(position) };
    await this.#channel.catchUp();
    // The channel began another life while it was read: the position is looked at anew.
    if (result.kind === "run") return this.resume(position);
    return { position: this.#channel.position, reset: result.reason };
  }

  /** How a position stands as far as memory tells. */
  #stand(after: Position): Resumption | "unknown" {
    const { head, recent, position } = this.#channel;
    if (after.epoch !== head.epoch) return { position, reset: "epoch" };
    if (after.offset > head.offset) return { position, reset: "ahead" };
    if (after.offset + 1 < head.first) return { position, reset: "trimmed" };
    const tag = recent.tagAt(after.offset);
    if (tag === undefined) return "unknown";
    return tag === after.tag ? { position: after } : { position, reset: "rewritten" };
  }

  async back(n: number): Promise<Position> {
    const { head, recent } = this.#channel;
    const offset = Math.max(head.first - 1, head.offset - n, 0);
    const tag = recent.tagAt(offset);
    if (tag !== undefined) return { epoch: head.epoch, offset, tag };
    const result = await this.#log.read(this.#channel.key, offset, { events: 1, bytes: 1 });
    const epoch = result.head.epoch;
    if (result.kind === "run" && epoch === this.#channel.head.epoch) return { epoch, offset, tag: result.tagBefore };
    // Trimmed or begun anew while it was read: how far back there is something is looked at anew.
    if (!(await this.#channel.catchUp())) throw errorOf("storage-unavailable", { retryAfter: RETRY_MS });
    return this.back(n);
  }

  /** The newest `limit` events before offset `before`, fewer where they take more than about `bytes`. */
  async page(before: number | undefined, limit: number, bytes: number): Promise<HistoryPage> {
    const { head, recent, definition, key } = this.#channel;
    const end = Math.min(before ?? head.offset + 1, head.offset + 1);
    // More would not fit, however short they are.
    const most = Math.min(limit, Math.ceil(bytes / EVENT_HEAD));
    const remembered = recent.before(end, most);
    if (remembered) return newest(head.epoch, head.first, remembered, bytes);
    const page = await this.#log.page(key, before === undefined ? undefined : end, most);
    const shared = page.events.map((event) => share(event, definition, this.#runtime.logger));
    return newest(page.head.epoch, page.head.first, shared, bytes);
  }
}

/** The newest of the events that fit, and where the page before them begins. */
function newest(epoch: string, first: number, events: readonly SharedEvent[], bytes: number): HistoryPage {
  let start = events.length;
  let taken = 0;
  while (start > 0) {
    taken += events[start - 1]?.size ?? 0;
    if (taken > bytes && start < events.length) break;
    start--;
  }
  // A run is shown whole or not at all.
  while (start > 0 && events[start]?.run !== events[start]?.stored.offset) start--;
  const shown = events.slice(start);
  const oldest = shown[0]?.stored.offset;
  return { epoch, events: shown, next: oldest !== undefined && oldest > first ? oldest : undefined };
}

function keyOf(position: Position): string {
  return `${position.epoch} ${position.offset} ${position.tag}`;
}
