import type {
  ChannelEvent,
  Condition,
  Filter,
  Lane,
  Position,
  ResetReason,
  Start,
  TandemError,
} from "@tandem/protocol";
import { matcherOf } from "@tandem/protocol";
import type { Runtime, Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { EventsInfo } from "../event.ts";

export type SubscriptionState = "pending" | "catching-up" | "live" | "ended";

/** The part of a channel that a subscription wants. */
export interface EventFilter<T extends string = string> {
  /** Events of these types. Default: all. */
  readonly types?: readonly T[] | undefined;
  /** Whose payload meets all of these, by field: the channel type declares as `filterable` what may be named. */
  readonly where?: Readonly<Record<string, Condition>> | undefined;
}

/** What an application asks for, and what it wants to be told. */
export interface SubscribeOptions<E extends { readonly type: string } = ChannelEvent> {
  /** Where to begin: now (left out), after a position, or with the last `n` events. */
  readonly from?: Start | undefined;
  /** A position that the answering node must have reached. Default: the newest durable publish of this client there. */
  readonly atLeast?: Position | undefined;
  /** Default: the priority of the channel's type. */
  readonly lane?: Lane | undefined;
  /** Default: every event. It saves work and bytes, and hides nothing: that is for the channel type's `visible` to do. */
  readonly filter?: EventFilter<E["type"]> | undefined;
  /** All events of the channel (that the filter asks for), in order, each once; those that came together in one call. */
  onEvents(events: readonly E[], info: EventsInfo): void;
  /** The history does not go on from where it was: what is held is to be fetched anew, events follow from `position`. */
  onReset?(reason: ResetReason, position: Position): void;
  /** The subscription has ended: no right to read, for one. */
  onError?(error: TandemError): void;
  onState?(state: SubscriptionState): void;
}

/** An application's reading of a channel. */
export interface Subscription {
  /** `pending` until the server has answered, and again while the connection is away. */
  readonly state: Store<SubscriptionState>;
  /** After the last event that was handed over; until there is one, where it begins, as far as that is known. */
  readonly position: Position | undefined;
  unsubscribe(): void;
}

/** One subscriber of a feed, with a place of its own in the channel's history. */
export class Handler implements Subscription {
  readonly options: SubscribeOptions;
  readonly state: Cell<SubscriptionState>;
  readonly hold: Alarm;
  /** The filter in one text: those with the same one can share what the server sends for it. */
  readonly filter: string | undefined;
  readonly unsubscribe: () => void;
  /** Where it stands, and goes on from. */
  position: Position | undefined;
  /**
   * The offset past which it gets events on this connection; `undefined` until the server has said that its history
   * goes on from there.
   */
  at: number | undefined;
  tries = 0;
  readonly #runtime: Runtime;
  readonly #wants: ((event: ChannelEvent) => boolean) | undefined;

  constructor(runtime: Runtime, options: SubscribeOptions, leave: (handler: Handler) => void) {
    this.options = options;
    this.#runtime = runtime;
    this.filter = JSON.stringify(options.filter);
    this.#wants = options.filter && matcherOf(options.filter as Filter);
    this.state = new Cell<SubscriptionState>("pending", (error) => this.#report(error));
    this.hold = new Alarm(runtime);
    this.unsubscribe = () => leave(this);
    if (options.from && "epoch" in options.from) this.position = { ...options.from };
  }

  get start(): Start | undefined {
    return this.position ?? this.options.from;
  }

  /** Those with the same key can share one answer of the server. */
  get key(): string {
    return JSON.stringify([this.position ?? [this.options.from, this.options.atLeast], this.filter]);
  }

  /** Waits for its place. */
  unplace(): void {
    this.at = undefined;
  }

  place(position: Position): void {
    this.position = position;
    this.at = position.offset;
    this.tries = 0;
  }

  /** @param head events up to this offset were there before the subscription stood */
  deliver(brought: readonly ChannelEvent[], head: number, position: Position): void {
    const events = this.#wants ? brought.filter(this.#wants) : brought;
    const [first] = events;
    if (first) this.#call(() => this.options.onEvents(events, { replay: first.offset <= head, position }));
  }

  reset(reason: ResetReason, position: Position): void {
    this.#call(() => this.options.onReset?.(reason, position));
  }

  become(state: SubscriptionState): void {
    if (this.state.get() === state || this.state.get() === "ended") return;
    this.state.set(state);
    this.#call(() => this.options.onState?.(state));
  }

  end(error?: TandemError): void {
    this.hold.cancel();
    this.at = undefined;
    if (this.state.get() === "ended") return;
    this.become("ended");
    if (error) this.#call(() => this.options.onError?.(error));
  }

  /** What a handler throws is its own affair. */
  #call(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.#runtime.logger.error({ error }, "a handler of a subscription threw");
  }
}
