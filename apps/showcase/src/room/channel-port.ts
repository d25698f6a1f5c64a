import type { Store } from "@tandem/runtime";
import type { Delivery, MessageData, RoomEvent } from "./message.ts";

/** Where a subscription stands. */
export type SubscriptionState = "pending" | "catching-up" | "live" | "ended";

/** What a room needs of a channel: the client's channels have it, and the tests' fake. */
export interface ChannelPort {
  /** Queues a message. */
  publish(data: MessageData): PublicationPort;
  /** Begins with the last `last` events and goes on for good. */
  subscribe(options: {
    readonly last: number;
    readonly onEvents: (events: readonly RoomEvent[]) => void;
    /** What was received is not the log's history any more; events follow from after `offset`. */
    readonly onReset: (offset: number) => void;
    readonly onError: (reason: string) => void;
  }): SubscriptionPort;
  /** The events before offset `before`, at most `limit`, in order. */
  history(options: { readonly before: number; readonly limit: number }): Promise<HistoryPage>;
}

export interface PublicationPort {
  /** The id that the event will have: not known before it is first sent. */
  id(): string | undefined;
  /** The last word is `durable`, `rejected` or `unknown`; none comes after it. */
  readonly delivery: Store<Delivery>;
}

export interface SubscriptionPort {
  readonly state: Store<SubscriptionState>;
  /** Offset of the newest event received, and the epoch that it belongs to. */
  reached(): { readonly epoch: string; readonly offset: number };
  unsubscribe(): void;
}

export interface HistoryPage {
  readonly events: readonly RoomEvent[];
  /** Are there events before the first of these? */
  readonly more: boolean;
  readonly epoch: string;
}
