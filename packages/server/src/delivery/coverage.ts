import type { Position } from "@tandem/protocol";
import type { Outgoing } from "./message.ts";
import { SharedMessage } from "./message.ts";
import type { SharedEvent } from "./shared-event.ts";

/** Statements that are kept ready, of one channel. */
const STATEMENTS = 64;

/** An `events` message: these are all there is in `(from, to]` for whoever it is sent to. */
export function eventsMessage(
  channel: string,
  from: number,
  { epoch, offset: to, tag }: Position,
  events: readonly SharedEvent[],
): Outgoing {
  const head = { type: "events", channel, ...(from === 0 ? { epoch } : {}), from, to, tag };
  return new SharedMessage((codec) =>
    codec.encodeWithEvents(
      head,
      events.map((event) => event.encoded(codec)),
    ),
  );
}

/** Statements that a range of a channel holds nothing for a subscriber: those who passed over the same one share it. */
export class Coverage {
  readonly #channel: string;
  readonly #ready = new Map<string, Outgoing>();

  constructor(channel: string) {
    this.#channel = channel;
  }

  message(from: number, to: Position): Outgoing {
    const key = `${from} ${to.offset} ${to.epoch} ${to.tag}`;
    const ready = this.#ready.get(key);
    if (ready) return ready;
    const message = eventsMessage(this.#channel, from, to, []);
    const [oldest] = this.#ready.keys();
    if (this.#ready.size >= STATEMENTS && oldest !== undefined) this.#ready.delete(oldest);
    this.#ready.set(key, message);
    return message;
  }
}
