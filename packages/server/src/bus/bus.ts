import type { ChannelKey, LogEvent } from "../log/log.ts";
import type { PresenceWord, SignalWord } from "./presence.ts";

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
  /** These devices have come, changed or gone. */
  | { readonly kind: "presence"; readonly channel: ChannelKey; readonly words: readonly PresenceWord[] }
  /** The newest signals of some devices. The first that a crowded bus may drop. */
  | { readonly kind: "signals"; readonly channel: ChannelKey; readonly signals: readonly SignalWord[] }
  /** Tell me everything that you know of presence at first hand. */
  | { readonly kind: "roster-wanted" }
  /** A page of the answer. All pages together are everything that the node had to say after its message `after`. */
  | {
      readonly kind: "roster";
      /** Which of its answers this is, from 1. */
      readonly answer: number;
      readonly after: number;
      readonly page: number;
      readonly last: boolean;
      readonly rooms: readonly (readonly [channel: ChannelKey, words: readonly PresenceWord[]])[];
    }
  /** Nothing but the number: sent every 500 ms, so that a loss is noticed without a further message. It is the node's lease, too. */
  | { readonly kind: "beacon" };

/** A message as it travels. A node takes a new name with every start, and when it was away for so long that others gave it up. */
export interface Envelope {
  readonly node: string;
  /** The node's messages count from 1; a beacon repeats the last number. 0: of no count, its loss is not looked for. */
  readonly number: number;
  /** For this node alone. Left out: for every other node. */
  readonly to?: string;
  readonly message: BusMessage;
}

/** The port that carries live traffic between nodes. */
export interface Bus {
  /** Sends to every other node, or to the one it is for. Never blocks, never throws. */
  send(envelope: Envelope): void;
  /** Calls `listener` with what other nodes sent. @returns the call that ends it */
  listen(listener: (envelope: Envelope) => void): () => void;
}
