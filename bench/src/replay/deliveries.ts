import type { Connect } from "@tandem/client";
import type { Events, ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";

/** The transaction that an event carries. */
export function indexOf(data: unknown): number {
  if (typeof data === "object" && data !== null && "index" in data && typeof data.index === "number") return data.index;
  throw new Error(`an event carries no transaction: ${JSON.stringify(data)}`);
}

/**
 * What a receiver's connections brought, counted frame by frame before its client sees it: the client leaves out what it has had
 * before, and would hide a server that sends things twice.
 */
export class Deliveries {
  readonly connect: Connect;
  /** Deliveries whose range does not begin where the one before ended, on one connection; and resets. */
  breaks = 0;
  readonly #counts = new Map<number, number>();
  /** The offset after which the present connection's next delivery has to begin. */
  #at: number | undefined;

  constructor(connect: Connect) {
    this.connect = (url, subprotocol, events) => {
      this.#at = undefined;
      return connect(url, subprotocol, {
        opened: () => events.opened(),
        frame: (frame) => {
          for (const message of jsonCodec.decode(frame)) this.take(message as ServerMessage);
          events.frame(frame);
        },
        closed: (code, reason) => events.closed(code, reason),
      });
    };
  }

  take(message: ServerMessage): void {
    if (message.type === "subscribed") {
      this.#at = message.position.offset;
      if (message.reset) this.breaks++;
    } else if (message.type === "reset") {
      this.#at = message.position.offset;
      this.breaks++;
    } else if (message.type === "events") this.#events(message);
  }

  #events({ from, to, events }: Events): void {
    if (from !== this.#at || events.length !== to - from) this.breaks++;
    this.#at = to;
    for (const { data } of events) {
      const index = indexOf(data);
      this.#counts.set(index, (this.#counts.get(index) ?? 0) + 1);
    }
  }

  /** How often each transaction came. */
  get counts(): ReadonlyMap<number, number> {
    return this.#counts;
  }
}
