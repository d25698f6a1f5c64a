import type { AppDefinition, ChannelType, EventData, EventName } from "@tandem/app";
import type { FenceToken } from "@tandem/protocol";
import type { HistoryPage, TypedEvent } from "./event.ts";
import type { Publication } from "./outbox/publication.ts";
import type { Ride } from "./rider.ts";
import type { SubscribeOptions, Subscription } from "./subscription/handler.ts";
import type { HistoryQuery } from "./subscription/history.ts";

export interface PublishOptions {
  /** Version of the event's schema that `data` was made for. Default 1. */
  readonly version?: number;
  /** The fencing token of the lock under which this is written, where the channel's type wants one. */
  readonly fence?: FenceToken;
}

/** A channel of type `T`, as this client sees it. */
export interface Channel<A extends AppDefinition, T extends ChannelType<A>> {
  /** For `presence`, `signals` and others that ride on the client's connection. */
  readonly ride: Ride;
  /** Its full name, such as `room:42`. */
  readonly name: string;
  /**
   * Publishes an event: at once when there is a connection, else in order once there is. Never throws; what became of
   * it is in the publication. The data is taken as it is now: later changes to the object have no effect.
   */
  publish<N extends EventName<A, T>>(
    event: N,
    data: EventData<A, T, N>,
    options?: PublishOptions,
  ): Publication<N, EventData<A, T, N>>;
  /** Reads the channel until `unsubscribe`, over lost connections: in order, without a gap, each event once. */
  subscribe(options: SubscribeOptions<TypedEvent<A, T>>): Subscription;
  /**
   * A page of what was. Waits up to 30 s for a connection.
   *
   * @throws TandemError
   */
  history(query?: HistoryQuery): Promise<HistoryPage<TypedEvent<A, T>>>;
}
