import type { Viewer } from "@tandem/app";
import type { ChannelEvent } from "@tandem/protocol";
import type { Outgoing } from "./message.ts";
import { SharedMessage } from "./message.ts";
import type { SharedEvent } from "./shared-event.ts";

/** Decides whether a viewer may read an event. */
export type Visibility = (event: ChannelEvent, viewer: Viewer) => boolean;

/**
 * Contiguous events of a channel on their way to its subscribers: all there is in `(from, to]`. Whoever may read all
 * of them shares one message; viewers who may read the same part of them share that one.
 */
export class Batch {
  readonly channel: string;
  readonly epoch: string;
  readonly from: number;
  readonly events: readonly SharedEvent[];
  readonly #visible: Visibility | undefined;
  #whole: Outgoing | undefined;
  #parts: Map<string, Outgoing> | undefined;

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
    this.#visible = visible;
  }

  get to(): number {
    return this.from + this.events.length;
  }

  /** Tag of the position at `to`. */
  get tag(): string {
    return this.events[this.events.length - 1]?.tag ?? "";
  }

  /** The `events` message for a viewer; `undefined` viewer: the application itself, which may read everything. */
  message(viewer: Viewer | undefined): Outgoing {
    const visible = this.#visible;
    if (!visible || !viewer) return this.#all();
    const seen = this.events.map((event) => visible(event.value, viewer));
    if (seen.every(Boolean)) return this.#all();
    const key = seen.map((yes) => (yes ? "1" : "0")).join("");
    this.#parts ??= new Map();
    let part = this.#parts.get(key);
    if (!part) {
      part = this.#make(this.events.filter((_, at) => seen[at]));
      this.#parts.set(key, part);
    }
    return part;
  }

  #all(): Outgoing {
    this.#whole ??= this.#make(this.events);
    return this.#whole;
  }

  #make(events: readonly SharedEvent[]): Outgoing {
    const head = {
      type: "events",
      channel: this.channel,
      ...(this.from === 0 ? { epoch: this.epoch } : {}),
      from: this.from,
      to: this.to,
      tag: this.tag,
    };
    return new SharedMessage((codec) =>
      codec.encodeWithEvents(
        head,
        events.map((event) => event.encoded(codec)),
      ),
    );
  }
}
