import type { ChannelKey, LogEvent } from "../log/log.ts";

/** What nodes tell each other. A hint: it may be lost, repeated, delayed or reordered; the log is the truth. */
export type BusMessage =
  /** These events were committed, contiguous, the first after position `{epoch, offset: from, tag: tagBefore}`. */
  | {
      readonly kind: "events";
      readonly channel: ChannelKey;
      readonly epoch: string;
      readonly from: number;
      readonly tagBefore: string;
      readonly events: readonly LogEvent[];
    }
  /** The channel's row changed otherwise (archived, redacted, removed): read it again. */
  | { readonly kind: "changed"; readonly channel: ChannelKey }
  /** Nothing but the number: sent every 500 ms, so that a loss is noticed without a further message. */
  | { readonly kind: "beacon" };

/** A message as it travels: each node numbers what it sends, from 1, under a name it takes anew with every start. */
export interface Envelope {
  readonly node: string;
  readonly number: number;
  readonly message: BusMessage;
}

/** The port that carries live traffic between nodes. Presence with node leases, and counters, join it later. */
export interface Bus {
  /** Sends to every other node. Never blocks, never throws. */
  send(envelope: Envelope): void;
  /** Calls `listener` with what other nodes sent. @returns the call that ends it */
  listen(listener: (envelope: Envelope) => void): () => void;
}
