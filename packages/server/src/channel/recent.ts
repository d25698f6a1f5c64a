import type { Position } from "@tandem/protocol";
import type { SharedEvent } from "../delivery/shared-event.ts";

/** How much of a channel is remembered. */
export interface RecentBounds {
  readonly events: number;
  readonly bytes: number;
}

/** Bytes of events in one message, about. */
export const PIECE_BYTES = 16_384;

export const RECENT_BOUNDS: RecentBounds = { events: 512, bytes: 262_144 };

/**
 * A channel's newest events in memory, contiguous up to its head, so that thousands of clients coming back do not
 * reach the disk. Knows the position before its oldest event, and so the tag of every position from there on.
 */
export class Recent {
  readonly #bounds: RecentBounds;
  #floor: Position;
  #events: SharedEvent[] = [];
  #bytes = 0;

  /** @param floor the position before the first event that will be remembered */
  constructor(floor: Position, bounds: RecentBounds) {
    this.#floor = floor;
    this.#bounds = bounds;
  }

  /** The position before the oldest event that is remembered. */
  get floor(): Position {
    return this.#floor;
  }

  /** Remembers the next event; the oldest are forgotten over the bounds. */
  push(event: SharedEvent): void {
    this.#events.push(event);
    this.#bytes += event.size;
    // Forgotten in strides, so that the list is not moved up for every event.
    if (this.#events.length > this.#bounds.events * 1.25 || this.#bytes > this.#bounds.bytes * 1.25) this.#forget();
  }

  #forget(): void {
    let drop = 0;
    let bytes = this.#bytes;
    while (
      drop < this.#events.length &&
      (this.#events.length - drop > this.#bounds.events || bytes > this.#bounds.bytes)
    ) {
      bytes -= this.#events[drop]?.size ?? 0;
      drop++;
    }
    this.forgetTo(this.#floor.offset + drop);
  }

  /** Forgets the events up to and with `offset` (they were trimmed from the log). */
  forgetTo(offset: number): void {
    const gone = this.#events.splice(0, Math.max(0, offset - this.#floor.offset));
    const last = gone[gone.length - 1];
    if (!last) return;
    for (const event of gone) this.#bytes -= event.size;
    this.#floor = { ...this.#floor, offset: last.stored.offset, tag: last.tag };
  }

  /** The tag at an offset, or `undefined` when that is out of what is remembered. */
  tagAt(offset: number): string | undefined {
    if (offset === this.#floor.offset) return this.#floor.tag;
    return this.#events[offset - this.#floor.offset - 1]?.tag;
  }

  /** The events after `offset`, whole runs up to about `bytes`; `undefined` when they are not remembered. */
  after(offset: number, bytes: number): SharedEvent[] | undefined {
    if (offset < this.#floor.offset) return undefined;
    const start = offset - this.#floor.offset;
    return this.#events.slice(start, cutAtRun(this.#events, start, bytes));
  }

  /** The newest `limit` events before `before`, when all of them are remembered. */
  before(before: number, limit: number): SharedEvent[] | undefined {
    const from = before - limit;
    const end = before - this.#floor.offset - 1;
    if (from <= this.#floor.offset || end > this.#events.length) return undefined;
    let start = end - limit;
    // A run is shown whole: the page begins where the run of its oldest event does.
    const run = this.#events[start]?.run;
    if (run !== undefined && run <= this.#floor.offset) return undefined;
    while (start > 0 && this.#events[start - 1]?.run === run) start--;
    return this.#events.slice(start, end);
  }
}

/**
 * Where a piece that begins at `start` and holds about `bytes` ends: after at least one event, and never inside a run.
 *
 * @returns the index after its last event
 */
export function cutAtRun(events: readonly SharedEvent[], start: number, bytes: number): number {
  let end = start;
  let taken = 0;
  while (end < events.length) {
    const event = events[end] as SharedEvent;
    const startsRun = event.run === event.stored.offset;
    if (end > start && startsRun && taken + event.size > bytes) break;
    taken += event.size;
    end++;
  }
  return end;
}
