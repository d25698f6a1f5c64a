import type {
  ChannelEvent,
  ErrorMessage,
  Events,
  Filter,
  Position,
  Reset,
  ResetReason,
  Subscribed,
  TandemError,
} from "@tandem/protocol";
import { chainTag } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import type { Link } from "../connection/link.ts";
import { refusal } from "../connection/refusal.ts";
import type { Written } from "../outbox/written.ts";
import type { Handler } from "./handler.ts";

/** The epoch of a channel that nothing was ever written to: its beginning is that of any life it is given. */
const UNBORN = "-";

/** What the server sends on one subscription: all there is past `position`. */
interface Wire {
  position: Position;
  /** Offset of the newest event when it began. */
  readonly head: number;
  /** The filter that the server was asked for. */
  readonly filter: string | undefined;
}

/** A question that waits for its answer; `key` is that of the handlers it was asked for. */
interface Asked {
  readonly key: string;
  readonly start: Handler["start"];
  readonly filter: string | undefined;
}

/** The events of one frame: all there are past offset `from`, up to where the wire stands. */
interface Batch {
  readonly from: number;
  /** Tag of the position at `from`. */
  readonly tag: string;
  readonly events: ChannelEvent[];
}

/**
 * One channel's subscription on the wire, and the handlers that share it.
 *
 * Each handler has a place of its own, which the server has to confirm on every connection: only then is it known that
 * the history there is still the one the handler has seen. The wire then goes on from the hindmost of them; a handler
 * that is further on gets what lies past its place. So a latecomer is served its history by taking the wire back.
 */
export class Feed {
  readonly channel: string;
  readonly #runtime: Runtime;
  readonly #written: Written;
  readonly #emptied: (feed: Feed) => void;
  readonly #handlers = new Set<Handler>();
  #link: Link | undefined;
  #wire: Wire | undefined;
  #asked: Asked | undefined;
  #batch: Batch | undefined;
  /** Ranges on this connection that did not fit. */
  #strikes = 0;

  /** @param emptied is called when the last handler has gone */
  constructor(channel: string, runtime: Runtime, written: Written, emptied: (feed: Feed) => void) {
    this.channel = channel;
    this.#emptied = emptied;
    this.#runtime = runtime;
    this.#written = written;
  }

  add(handler: Handler): void {
    this.#handlers.add(handler);
    this.#goOn();
  }

  remove(handler: Handler): void {
    this.#drop([handler]);
    handler.end();
  }

  attach(link: Link): void {
    this.#link = link;
    this.#strikes = 0;
    this.#goOn();
  }

  detach(): void {
    this.#link = undefined;
    this.#wire = undefined;
    this.#asked = undefined;
    this.#batch = undefined;
    for (const handler of this.#handlers) {
      handler.unplace();
      handler.hold.cancel();
    }
    for (const handler of [...this.#handlers]) handler.become("pending");
  }

  end(error?: TandemError): void {
    const handlers = [...this.#handlers];
    this.#drop(handlers);
    for (const handler of handlers) handler.end(error);
  }

  events(message: Events): void {
    const wire = this.#wire;
    // Between `unsubscribe` and the answer to `subscribe`, what comes belongs to the subscription that was left.
    if (!wire) return;
    const { from, to, tag, epoch: born, events } = message;
    const { epoch, offset, tag: before } = wire.position;
    const life = (from === 0 && born) || epoch;
    if (from !== offset || !inOrder(message) || (life !== epoch && epoch !== UNBORN)) return this.#violated();
    wire.position = { epoch: life, offset: to, tag };
    this.#batch ??= { from, tag: before, events: [] };
    this.#batch.events.push(...events);
  }

  reset({ position, reason }: Reset): void {
    const wire = this.#wire;
    if (!wire) return;
    this.flush();
    const there = wire.position.offset;
    this.#wire = { position, head: position.offset, filter: wire.filter };
    const told: Handler[] = [];
    for (const handler of this.#handlers) {
      if (handler.at === there) {
        handler.place(position);
        told.push(handler);
      } else handler.unplace();
    }
    this.#forgetWritten(reason);
    this.#goOn();
    for (const handler of told) handler.reset(reason, position);
    this.#showStates();
  }

  /** The server says something of this channel that answers no request. */
  complained(message: ErrorMessage): void {
    if (!message.retryable) return this.end(refusal(message));
    this.#unplaceAll();
    for (const handler of this.#handlers) this.#holdBack(handler, message.retryAfter);
    this.#goOn();
  }

  /** Hands over what one frame brought. */
  flush(): void {
    const batch = this.#batch;
    const wire = this.#wire;
    if (!batch || !wire) return;
    this.#batch = undefined;
    const { position, head } = wire;
    let strayed = false;
    for (const handler of [...this.#handlers]) {
      const { at } = handler;
      // One that is behind this range waits until the wire comes for it.
      if (at === undefined || at < batch.from || at > position.offset || !this.#handlers.has(handler)) continue;
      if (handler.position && (tagAt(batch, at) ?? handler.position.tag) !== handler.position.tag) {
        // Its place was confirmed on an earlier wire, and the history was rewritten since.
        handler.unplace();
        strayed = true;
        continue;
      }
      const events = at === batch.from ? batch.events : batch.events.filter(({ offset }) => offset > at);
      handler.place(position);
      handler.deliver(events, head, position);
    }
    if (strayed) this.#goOn();
    this.#showStates();
  }

  #drop(handlers: Iterable<Handler>): void {
    for (const handler of handlers) this.#handlers.delete(handler);
    if (this.#handlers.size > 0) return this.#goOn();
    this.#leave();
    this.#emptied(this);
  }

  #leave(): void {
    if (this.#wire || this.#asked) this.#link?.ask({ type: "unsubscribe", channel: this.channel }, () => undefined);
    this.#wire = undefined;
    this.#asked = undefined;
    this.#batch = undefined;
  }

  #violated(): void {
    this.flush();
    if (this.#strikes++ > 0) return this.#link?.broken(`The events of ${this.channel} do not follow on each other.`);
    this.#runtime.logger.warn({ channel: this.channel }, "events did not follow on each other: subscribing anew");
    this.#unplaceAll();
    this.#goOn();
  }

  #unplaceAll(): void {
    for (const handler of this.#handlers) handler.unplace();
  }

  /** Asks for what is wanted next, if anything. */
  #goOn(): void {
    if (!this.#link || this.#asked) return;
    const wire = this.#wire;
    const free = [...this.#handlers].filter(({ hold }) => !hold.isSet);
    if (wire) for (const handler of free) this.#beginNow(handler, wire);
    // The furthest first: the way on from the hindmost does not show whether those further on stand on the same history.
    const [next] = free
      .filter(({ at }) => at === undefined)
      .sort((a, b) => (b.position?.offset ?? -1) - (a.position?.offset ?? -1));
    if (next) return this.#ask(next);
    const [hindmost] = free.sort((a, b) => (a.at ?? 0) - (b.at ?? 0));
    if (hindmost && !(wire && wire.position.offset <= (hindmost.at ?? 0))) this.#ask(hindmost);
  }

  /** Who begins now needs no answer of its own where the wire stands. */
  #beginNow(handler: Handler, { position, head, filter }: Wire): void {
    if (handler.at !== undefined || handler.start || (filter && filter !== handler.filter)) return;
    if (position.offset >= head) handler.place(position);
    else handler.at = head;
    this.#runtime.defer(() => this.#showStates());
  }

  #ask(handler: Handler): void {
    const { channel } = this;
    if (this.#wire) this.#leave();
    // Those who want different parts share the whole, and pick theirs themselves.
    const shared = [...this.#handlers].every(({ filter }) => filter === handler.filter);
    const filter = shared ? (handler.options.filter as Filter | undefined) : undefined;
    const asked: Asked = { key: handler.key, start: handler.start, filter: filter && handler.filter };
    this.#asked = asked;
    const from = handler.start;
    const atLeast = handler.position ? undefined : (handler.options.atLeast ?? this.#written.get(channel));
    const [lane] = [...this.#handlers].flatMap(({ options }) => options.lane ?? []);
    this.#link?.ask({ type: "subscribe", channel, from, atLeast, lane, filter }, (answer) => {
      if (this.#asked !== asked) return;
      this.#asked = undefined;
      if (answer.type === "subscribed") this.#stand(asked, answer);
      else if (answer.type === "error") this.#refused(asked, answer);
    });
  }

  #stand({ key, start, filter }: Asked, { position, head, reset }: Subscribed): void {
    if (!reset && start && "epoch" in start) {
      const sameLife = start.epoch === position.epoch || start.epoch === UNBORN;
      if (!sameLife || start.offset !== position.offset) {
        return this.#link?.broken(`The subscription to ${this.channel} does not go on from where it was.`);
      }
    }
    const wire: Wire = { position, head: Math.max(head, position.offset), filter };
    this.#wire = wire;
    const placed = [...this.#handlers].filter((handler) => handler.key === key);
    if (reset) {
      // The others may stand on a history that is gone as well: each has to be confirmed. What was trimmed is no other history.
      if (reset !== "trimmed") this.#unplaceAll();
      this.#forgetWritten(reset);
    }
    // Since the wire before this one, the channel may have begun another life.
    for (const handler of this.#handlers) if (!mayStand(handler, wire)) handler.unplace();
    for (const handler of placed) handler.place(position);
    this.#goOn();
    if (reset) for (const handler of placed) handler.reset(reset, position);
    this.#showStates();
  }

  /** What was written in another history nobody has any more. Where only the reading fell behind, it stands as before. */
  #forgetWritten(reason: ResetReason): void {
    if (reason !== "trimmed") this.#written.forget(this.channel);
  }

  #refused({ key }: Asked, message: ErrorMessage): void {
    const concerned = [...this.#handlers].filter((handler) => handler.key === key);
    if (message.code === "already-subscribed" && this.#strikes++ === 0) {
      this.#link?.ask({ type: "unsubscribe", channel: this.channel }, () => undefined);
      return this.#goOn();
    }
    if (message.code === "not-yet") this.#written.refused(this.channel);
    if (message.retryable) {
      for (const handler of concerned) this.#holdBack(handler, message.retryAfter);
      return this.#goOn();
    }
    this.#drop(concerned);
    for (const handler of concerned) handler.end(refusal(message));
  }

  #holdBack(handler: Handler, retryAfter: number | undefined): void {
    const wait = retryAfter ?? fullJitter(handler.tries++, this.#runtime.random());
    handler.hold.set(wait, () => this.#goOn());
  }

  #showStates(): void {
    if (!this.#wire) return;
    const state = this.#wire.position.offset >= this.#wire.head ? "live" : "catching-up";
    for (const handler of [...this.#handlers]) if (handler.at !== undefined) handler.become(state);
  }
}

/** May a handler's place be one of the history that a wire carries, as far as can be told? */
function mayStand({ at, position }: Handler, wire: Wire): boolean {
  if (at === undefined) return true;
  if (!position || at > wire.head) return false;
  return position.epoch === wire.position.epoch || (position.epoch === UNBORN && at === 0);
}

/** The tag at an offset of a batch, as far as its events tell: those that were left out for this viewer hide it. */
function tagAt({ from, tag, events }: Batch, offset: number): string | undefined {
  let [reached, sum] = [from, tag];
  for (const event of events) {
    if (reached === offset || event.offset !== reached + 1) break;
    reached = event.offset;
    sum = chainTag(sum, event.id);
  }
  return reached === offset ? sum : undefined;
}

/** Do the events of a range stand in it, in order? */
function inOrder({ from, to, events }: Events): boolean {
  let last = from;
  for (const { offset } of events) {
    if (offset <= last) return false;
    last = offset;
  }
  return last <= to;
}
