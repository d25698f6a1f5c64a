import type { AppDefinition, ChannelType, EventName, EventOutput } from "@tandem/app";
import type { Position } from "@tandem/protocol";

interface EventHead<N extends string> {
  readonly type: N;
  readonly offset: number;
  /** The `id` of the publication that made it, for its publisher. */
  readonly id: string;
  /** Version of the event's schema; left out for 1. */
  readonly version?: number | undefined;
  /** Milliseconds since 1970 by the server; never falls along a channel. */
  readonly time: number;
  /** The user who published it; left out for the application itself. */
  readonly author?: string | undefined;
  /** W3C `traceparent` of the publisher. */
  readonly trace?: string | undefined;
}

/** One event of a channel of type `T`, told apart by `type`. A redacted one has lost its payload: `data` is null. */
export type TypedEvent<A extends AppDefinition, T extends ChannelType<A>> = {
  [N in EventName<A, T>]: EventHead<N> &
    (
      | { readonly data: EventOutput<A, T, N>; readonly redacted?: undefined }
      | { readonly data: null; readonly redacted: true }
    );
}[EventName<A, T>];

/** What is told beside events. */
export interface EventsInfo {
  /** They (the first of them, at least) were there before the subscription stood. */
  readonly replay: boolean;
  /** Where the subscription stands after them: who keeps this can go on from it later. */
  readonly position: Position;
}

/** A page of a channel's history. */
export interface HistoryPage<E> {
  /** In order of offset. */
  readonly events: readonly E[];
  /** The `before` of the page before this one; left out when there is none. */
  readonly next: number | undefined;
  readonly epoch: string;
}
