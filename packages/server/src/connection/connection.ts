import type { Codec, Encoded, ErrorCode, TandemError } from "@tandem/protocol";
import { decodeUntrusted, errorOf } from "@tandem/protocol";
import type { Identity } from "../access/authenticator.ts";
import type { Frame } from "../delivery/frame.ts";
import { single } from "../delivery/message.ts";
import type { FlushTurn, Gate, Outlet } from "../delivery/outbox.ts";
import { Outbox } from "../delivery/outbox.ts";
import type { Carrier, ConversationPorts } from "./conversation.ts";
import { Conversation } from "./conversation.ts";
import { closeCodeFor, tellable } from "./failure.ts";
import { Inbound } from "./inbound.ts";
import { Liveness } from "./liveness.ts";
import { errorMessage } from "./session.ts";
import type { Transport, TransportEvents } from "./transport.ts";

const NORMAL = 1000;
/** Close code where a token ended and no fresh one can come this way: that of `token-expired`. */
const LAPSED = 4004;

/** An answer ends so many milliseconds before its token, where more of it has to wait: twice as long as it takes until the next look. */
const BEFORE_LAPSE_MS = 2_000;

/** A socket that holds more bytes than this many windows is not being read: it is cut. */
const BUFFERED_WINDOWS = 8;

/** What a connection stands on. */
export interface ConnectionPorts extends ConversationPorts {
  readonly turn: FlushTurn;
  readonly gate: Gate;
}

/**
 * One transport of one client, from its first byte to its last: what it carries, whether it lives, and how it ends.
 *
 * Nothing is kept of a closed connection: to resume is to bring positions and producers.
 */
export class Connection implements TransportEvents, Outlet, Carrier {
  readonly id: string;
  readonly transport: Transport;
  readonly ports: ConnectionPorts;
  readonly outbox: Outbox;
  readonly #conversation: Conversation;
  readonly #inbound: Inbound;
  readonly #liveness: Liveness;
  readonly #onClosed: (connection: Connection) => void;
  /** The client will not say any more. */
  #ending = false;

  constructor(transport: Transport, ports: ConnectionPorts, onClosed: (connection: Connection) => void) {
    this.id = ports.runtime.randomId().slice(0, 12);
    this.transport = transport;
    this.ports = ports;
    this.#onClosed = onClosed;
    this.outbox = new Outbox(this, ports.turn, ports.gate, ports.limits);
    this.#conversation = new Conversation(this);
    this.#inbound = new Inbound(this.#conversation);
    this.#liveness = new Liveness(ports.limits, ports.runtime.elapsed());
  }

  /** Who it is, once that is known. */
  get identity(): Identity | undefined {
    return this.#conversation.identity;
  }

  /** Requests wait for their answer. */
  get busy(): boolean {
    return this.#conversation.busy;
  }

  get #isClosed(): boolean {
    return this.#conversation.kind === "over";
  }

  frame(frame: Encoded): void {
    if (this.#isClosed) return;
    this.#liveness.heard(this.ports.runtime.elapsed());
    try {
      this.#inbound.take(decodeUntrusted(this.codec, frame, this.ports.limits));
    } catch (error) {
      this.close(tellable(error, this.ports.runtime.logger));
    }
  }

  admitted(): void {
    this.#inbound.release();
  }

  renewed(): void {
    this.#liveness.refreshed();
  }

  received(frames: number): void {
    const fresh = this.outbox.acknowledge(frames);
    if (fresh === undefined) return this.close(errorOf("credit-violation"));
    if (fresh > 0) this.#liveness.progressed(this.ports.runtime.elapsed());
  }

  get codec(): Codec {
    return this.transport.codec;
  }

  elapsed(): number {
    return this.ports.runtime.elapsed();
  }

  beforeFlush(): void {
    this.#conversation.checkExpiry();
  }

  send(frame: Frame): void {
    this.transport.send(frame);
  }

  flushed(delivered: boolean): void {
    this.transport.flush(delivered);
    if (this.transport.buffered() > this.ports.limits.windowBytes * BUFFERED_WINDOWS) this.#destroy();
    else this.#endIfAnswered();
  }

  stalled(): void {
    if (this.transport.oneWay) this.#endInOrder();
  }

  /** Its rights may have changed. */
  invalidate(): void {
    this.#conversation.invalidate();
  }

  /** Looks whether there is room for those who wait: the node's gate has opened. */
  wake(): void {
    this.outbox.wake();
  }

  /** Once a second: deadlines, silence, progress. */
  pulse(): void {
    if (this.#isClosed) return;
    this.#conversation.pulse();
    if (this.#isPartial && this.#conversation.endsWithin(BEFORE_LAPSE_MS)) return this.#endInOrder();
    const { kind } = this.#conversation;
    // Who cannot answer is not asked: a response is bounded in time by its transport.
    if (kind === "over" || (this.transport.oneWay && kind === "open")) return;
    const verdict = this.#liveness.judge(this.ports.runtime.elapsed(), {
      phase: kind === "authenticating" ? "new" : kind,
      unacknowledged: this.outbox.unacknowledged,
      oldest: this.outbox.oldest,
      buffered: this.transport.buffered(),
    });
    if (verdict === "ping") this.outbox.push("critical", single({ type: "ping" }));
    else if (verdict) this.close(errorOf(verdict));
  }

  /** Tells the client that the server goes away, and when to come back. */
  announce(code: ErrorCode, retryAfter: number): void {
    this.outbox.push("critical", single({ type: "closing", code, retryAfter }), true);
  }

  /** The identity's time is over: what is queued is purged, delivery and writes stop, a fresh token is asked for. */
  suspend(reason: TandemError): void {
    if (this.#conversation.kind !== "open") return;
    // What the socket has not taken yet cannot be called back, but by cutting it.
    if (this.transport.buffered() > 0) return this.#destroy();
    if (this.transport.oneWay) {
      this.transport.purge?.();
      return this.close(reason, LAPSED);
    }
    this.#conversation.suspend();
    this.#liveness.suspended(this.ports.runtime.elapsed());
    this.outbox.purge();
    this.outbox.push("critical", errorMessage(reason, {}));
  }

  end(): void {
    this.#ending = true;
    if (this.#conversation.kind === "new") this.close(errorOf("not-authenticated"));
    else this.#endIfAnswered();
  }

  /** Ends in good order once nothing is asked any more, where no more will be. */
  #endIfAnswered(): void {
    if (!this.#ending || this.#isClosed || this.busy || this.#conversation.refreshing) return;
    this.outbox.flush();
    if (!this.#isClosed) this.#endInOrder();
  }

  /**
   * Something is answered, and what else was asked waits for its room. The end of the token takes back all that an answer holds: where
   * the bandwidth lets less through in the life of a token, the client would ask for the same for ever.
   */
  get #isPartial(): boolean {
    // The first frame is the greeting.
    return this.#ending && this.outbox.sent > 1 && this.outbox.isAwaited;
  }

  #endInOrder(): void {
    this.#ending = false;
    this.beforeEnd();
    if (this.#isClosed) return;
    this.#end();
    this.transport.close(NORMAL, "");
  }

  beforeEnd(): void {
    this.#conversation.checkExpiry();
    if (this.#conversation.kind !== "open") return;
    this.#conversation.bookmark();
    this.outbox.finish();
  }

  /** Ends the connection: an error message, then the close code of the table. */
  close(error: TandemError, code: number = closeCodeFor(error), id?: number): void {
    if (this.#isClosed) return;
    this.#conversation.end(false);
    this.outbox.purge();
    this.outbox.push("critical", errorMessage(error, { id }));
    this.outbox.flush();
    this.outbox.close();
    this.transport.close(code, error.code);
    this.#onClosed(this);
  }

  /** Ends it at once, without a word: the node is being destroyed. */
  destroy(): void {
    if (!this.#isClosed) this.#destroy();
  }

  #destroy(): void {
    this.transport.destroy();
    this.#end();
  }

  closed(code: number): void {
    // A client that means to come back, or that cannot say, closes otherwise.
    this.#end(code === NORMAL);
  }

  #end(goodbye = false): void {
    if (this.#isClosed) return;
    this.#conversation.end(goodbye);
    this.outbox.close();
    this.#onClosed(this);
  }
}
