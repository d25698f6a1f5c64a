import type { Viewer } from "@tandem/app";
import type { ChannelEvent, Filterable, Position } from "@tandem/protocol";
import { eventsMessage } from "./coverage.ts";
import type { Outgoing } from "./message.ts";
import type { SharedEvent } from "./shared-event.ts";

/** Decides whether a viewer may read an event. */
export type Visibility = (event: ChannelEvent, viewer: Viewer) => boolean;

/** What a filter asks for. The subscriptions of a channel with the same filter have the same function. */
export type Selection = (event: Filterable) => boolean;

/** The events of a batch that are for somebody. */
export interface Part {
  readonly events: readonly SharedEvent[];
  /** `undefined` where there are none: their range is told with the next one. */
  readonly message: Outgoing | undefined;
}

/**
 * Contiguous events of a channel on their way to its subscribers: all there is in `(from, to]`. Those for whom the same
 * part of them is share one message. A filter is asked once, whoever has it; `visible` is asked for each viewer.
 */
export class Batch {
  readonly channel: string;
  readonly epoch: string;
  readonly from: number;
  readonly events: readonly SharedEvent[];
  /** The position after it: one for all who pass it. */
  readonly end: Position;
  readonly #visible: Visibility | undefined;
  #whole: Part | undefined;
  #selected: Map<Selection, Part> | undefined;
  #parts: Map<string, Part> | undefined;

  /** @param events at least one, contiguous from `from + 1` */
  constructor(
    channel: string,
    epoch: string,
    from: number,
    events: readonly SharedEvent[],
    visible: Visibility | undefined,
  ) {
    this.channel = channel;
    this.epoch = epoch;
    this.from = from;
    this.events = events;
    this.end = { epoch, offset: from + events.length, tag: events[events.length - 1]?.tag ?? "" };
    this.#visible = visible;
  }

  get to(): number {
    return this.end.offset;
  }

  /** Tag of the position at `to`. */
  get tag(): string {
    return this.end.tag;
  }

  /** What of it is for a viewer (`undefined`: the application itself, which may read everything) with this filter. */
  part(viewer: Viewer | undefined, selection: Selection | undefined): Part {
    const wanted = selection ? this.#select(selection) : this.#all();
    const visible = this.#visible;
    if (!visible || !viewer) return wanted;
    const seen = wanted.events.filter((event) => visible(event.value, viewer));
    return seen.length === wanted.events.length ? wanted : this.#shared(seen);
  }

  #select(selection: Selection): Part {
    this.#selected ??= new Map();
    let part = this.#selected.get(selection);
    if (!part) {
      const chosen = this.events.filter(selection);
      part = chosen.length === this.events.length ? this.#all() : this.#shared(chosen);
      this.#selected.set(selection, part);
    }
    return part;
  }

  #all(): Part {
    this.#whole ??= this.#make(this.events);
    return this.#whole;
  }

  #shared(events: readonly SharedEvent[]): Part {
    const key = events.map((event) => event.stored.offset).join();
    this.#parts ??= new Map();
    let part = this.#parts.get(key);
    if (!part) {
      part = this.#make(events);
      this.#parts.set(key, part);
    }
    return part;
  }

  #make(events: readonly SharedEvent[]): Part {
    const message = events.length > 0 ? eventsMessage(this.channel, this.from, this.end, events) : undefined;
    return { events, message };
  }
}
