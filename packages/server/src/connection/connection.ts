import type { ClientMessage, Codec, Encoded, ErrorCode, Hello, Refresh } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Identity } from "../access/authenticator.ts";
import type { Frame } from "../delivery/frame.ts";
import { single } from "../delivery/message.ts";
import type { FlushTurn, Gate, Outlet } from "../delivery/outbox.ts";
import { Outbox } from "../delivery/outbox.ts";
import type { AdmittancePorts } from "./admittance.ts";
import { check, identify, instanceOf, isOver } from "./admittance.ts";
import { closeCodeFor, tellable } from "./failure.ts";
import type { InboundEvents } from "./inbound.ts";
import { Inbound } from "./inbound.ts";
import { Liveness } from "./liveness.ts";
import type { Instance, SessionPorts } from "./session.ts";
import { errorMessage, isSessionRequest, Session } from "./session.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import type { Admission, Turnstile } from "./turnstile.ts";
import { welcomeMessage } from "./welcome.ts";

const NORMAL = 1000;
/** Close code where a token ended and no fresh one can come this way: that of `token-expired`. */
const LAPSED = 4004;

/** A socket that holds more bytes than this many windows is not being read: it is cut. */
const BUFFERED_WINDOWS = 8;

/** What a connection stands on. */
export interface ConnectionPorts extends SessionPorts, AdmittancePorts {
  readonly runtime: Runtime;
  readonly turn: FlushTurn;
  readonly gate: Gate;
  readonly turnstile: Turnstile;
}

type State =
  /** Nothing but `hello` is answered. */
  | { readonly kind: "new" }
  | { readonly kind: "authenticating" }
  | { readonly kind: "open"; readonly session: Session }
  /** The token ended: nothing but `refresh` is answered, nothing is delivered. */
  | { readonly kind: "needs-auth"; readonly identity: Identity }
  | { readonly kind: "closed" };

/**
 * One transport of one client, from its first byte to its last.
 *
 * new ─ hello ─▸ authenticating ─▸ open ─ token ends ─▸ needs-auth ─ refresh ─▸ open
 *
 * Every state ends in closed. Nothing is kept of a closed connection: to resume is to bring positions and producers.
 */
export class Connection implements TransportEvents, InboundEvents, Outlet {
  readonly id: string;
  readonly #transport: Transport;
  readonly #ports: ConnectionPorts;
  readonly #inbound: Inbound;
  readonly #outbox: Outbox;
  readonly #liveness: Liveness;
  readonly #onClosed: (connection: Connection) => void;
  #state: State = { kind: "new" };
  #instance: Instance | undefined;
  #refreshing = false;
  /** Stands from the first welcome to the end. */
  #admission: Admission | undefined;
  /** The client will not say any more. */
  #ending = false;

  constructor(transport: Transport, ports: ConnectionPorts, onClosed: (connection: Connection) => void) {
    this.id = ports.runtime.randomId().slice(0, 12);
    this.#transport = transport;
    this.#ports = ports;
    this.#onClosed = onClosed;
    this.#inbound = new Inbound(transport.codec, ports.limits, this);
    this.#outbox = new Outbox(this, ports.turn, ports.gate, ports.limits);
    this.#liveness = new Liveness(ports.limits, ports.runtime.elapsed());
  }

  /** Who it is, once that is known. */
  get identity(): Identity | undefined {
    const state = this.#state;
    if (state.kind === "open") return state.session.identity;
    return state.kind === "needs-auth" ? state.identity : undefined;
  }

  /** Requests wait for their answer. */
  get busy(): boolean {
    return this.#state.kind === "authenticating" || (this.#state.kind === "open" && this.#state.session.busy);
  }

  frame(frame: Encoded): void {
    if (this.#state.kind === "closed") return;
    this.#liveness.heard(this.#ports.runtime.elapsed());
    try {
      this.#inbound.frame(frame);
    } catch (error) {
      this.close(tellable(error, this.#ports.runtime.logger));
    }
  }

  end(): void {
    this.#ending = true;
    if (this.#state.kind === "new") this.close(errorOf("not-authenticated"));
    else this.#endIfAnswered();
  }

  /** Ends in good order once nothing is asked any more, where no more will be. */
  #endIfAnswered(): void {
    if (!this.#ending || this.#isClosed() || this.busy || this.#refreshing) return;
    this.#outbox.flush();
    if (!this.#isClosed()) this.#endInOrder();
  }

  #endInOrder(): void {
    this.#checkExpiry();
    if (this.#isClosed()) return;
    this.#end();
    this.#transport.close(NORMAL, "");
  }

  beforeEnd(): void {
    this.#checkExpiry();
  }

  closed(code: number): void {
    // A client that means to come back, or that cannot say, closes otherwise.
    this.#end(code === NORMAL);
  }

  wrong(error: TandemError, id: number | undefined, tooMany: boolean): void {
    if (this.#isClosed()) return;
    if (this.#state.kind === "new" || this.#state.kind === "authenticating") return this.close(error, 4400, id);
    if (tooMany) return this.close(errorOf("too-many-errors"));
    this.#outbox.push("normal", errorMessage(error, { id }));
  }

  #isClosed(): boolean {
    return this.#state.kind === "closed";
  }

  /** What comes in one frame with `hello` waits until that is answered. */
  take(message: ClientMessage): boolean {
    const isNew = this.#state.kind === "new";
    this.#take(message);
    return isNew && this.#state.kind === "authenticating";
  }

  #take(message: ClientMessage): void {
    const state = this.#state;
    switch (state.kind) {
      case "closed":
        return;
      case "new":
      case "authenticating":
        if (message.type === "hello" && state.kind === "new") return void this.#greet(message);
        return this.close(errorOf("not-authenticated"));
      case "needs-auth":
        if (isSessionRequest(message)) return this.#outbox.push("normal", errorMessage(errorOf("needs-auth"), message));
        return this.#takeAlways(message);
      case "open":
        this.#checkExpiry();
        if (this.#state.kind !== "open") return this.#take(message);
        if (message.type === "signal") return state.session.signal(message);
        if (isSessionRequest(message)) return state.session.take(message);
        return this.#takeAlways(message);
    }
  }

  #takeAlways(message: Exclude<ClientMessage, Parameters<Session["take"]>[0]>): void {
    switch (message.type) {
      case "hello":
        return this.#outbox.push("normal", errorMessage(errorOf("already-authenticated"), message));
      case "refresh":
        return void this.#refresh(message);
      case "received":
        return this.#received(message.frames);
      case "ping":
        return this.#outbox.push("critical", single({ type: "pong", time: this.#ports.runtime.now() }));
      case "pong":
      case "signal":
        return;
    }
  }

  async #greet(hello: Hello): Promise<void> {
    this.#state = { kind: "authenticating" };
    try {
      const identity = await identify(this.#ports, hello);
      if (this.#isClosed()) return;
      this.#admission = this.#ports.turnstile.admit(identity, this.#transport.address, this.#transport.side === true);
      await this.#enter(identity);
      if (this.#isClosed()) return;
      this.#instance = instanceOf(this.#ports, hello, identity, this.#transport.side === true);
      this.#open(identity, this.#admission);
      this.#welcome(hello.id, identity);
      this.#inbound.release();
    } catch (error) {
      if (!this.#isClosed()) this.close(tellable(error, this.#ports.runtime.logger), undefined, hello.id);
    }
  }

  /**
   * Joins those who are told what the user follows; who that is may have been revoked by the time that this is known. A side
   * connection is told nothing by itself.
   */
  async #enter(identity: Identity): Promise<void> {
    if (this.#transport.side) return;
    const { followings } = this.#ports;
    await followings.enter(identity, this);
    try {
      check(this.#ports, identity);
    } catch (error) {
      followings.leave(identity, this);
      throw error;
    }
    if (this.#isClosed()) followings.leave(identity, this);
  }

  following(channels: readonly string[]): void {
    if (this.#state.kind === "open") this.#outbox.push("normal", single({ type: "following", channels }));
  }

  #open(identity: Identity, { allowance }: Admission): void {
    const own = { outbox: this.#outbox, rates: allowance, instance: this.#instance, connection: this };
    this.#state = { kind: "open", session: new Session(identity, this.#ports, own) };
  }

  #welcome(id: number, identity: Identity): void {
    const { runtime, limits, followings } = this.#ports;
    const about = { device: this.#instance?.device, following: followings.known(identity) };
    this.#outbox.push("critical", welcomeMessage(id, this.id, identity, runtime.now(), limits, about));
  }

  async #refresh(refresh: Refresh): Promise<void> {
    if (this.#refreshing) return this.#outbox.push("normal", errorMessage(errorOf("request-in-use"), refresh));
    this.#refreshing = true;
    try {
      const identity = await identify(this.#ports, { token: refresh.token });
      const state = this.#state;
      const known = this.identity;
      if (!known || (state.kind !== "open" && state.kind !== "needs-auth")) return;
      if (identity.user !== known.user || identity.tenant !== known.tenant) throw errorOf("wrong-user");
      if (state.kind === "open") state.session.renew(identity);
      else if (this.#admission) this.#open(identity, this.#admission);
      this.#liveness.refreshed();
      this.#welcome(refresh.id, identity);
    } catch (error) {
      if (!this.#isClosed())
        this.#outbox.push("normal", errorMessage(tellable(error, this.#ports.runtime.logger), refresh));
    } finally {
      this.#refreshing = false;
    }
  }

  #received(frames: number): void {
    const fresh = this.#outbox.acknowledge(frames);
    if (fresh === undefined) return this.close(errorOf("credit-violation"));
    if (fresh > 0) this.#liveness.progressed(this.#ports.runtime.elapsed());
  }

  get codec(): Codec {
    return this.#transport.codec;
  }

  elapsed(): number {
    return this.#ports.runtime.elapsed();
  }

  beforeFlush(): void {
    this.#checkExpiry();
  }

  send(frame: Frame): void {
    this.#transport.send(frame);
  }

  flushed(delivered: boolean): void {
    this.#transport.flush(delivered);
    if (this.#transport.buffered() > this.#ports.limits.windowBytes * BUFFERED_WINDOWS) this.#destroy();
    else this.#endIfAnswered();
  }

  stalled(): void {
    if (this.#transport.oneWay) this.#endInOrder();
  }

  #checkExpiry(): void {
    if (this.#state.kind !== "open" || !isOver(this.#state.session.identity, this.#ports.runtime.now())) return;
    this.suspend(new TandemError("needs-auth", "The token has expired: send a fresh one in `refresh`."));
  }

  /** The identity's time is over: what is queued is purged, delivery and writes stop, a fresh token is asked for. */
  suspend(reason: TandemError): void {
    if (this.#state.kind !== "open") return;
    if (this.#transport.oneWay) {
      this.#transport.purge?.();
      return this.close(reason, LAPSED);
    }
    const { session } = this.#state;
    session.end();
    this.#state = { kind: "needs-auth", identity: session.identity };
    this.#liveness.suspended(this.#ports.runtime.elapsed());
    this.#outbox.purge();
    // What the socket has not taken yet cannot be called back, but by cutting it.
    if (this.#transport.buffered() > 0) return this.#destroy();
    this.#outbox.push("critical", errorMessage(reason, {}));
  }

  /** Its rights may have changed. */
  invalidate(): void {
    if (this.#state.kind === "open") this.#state.session.invalidate();
  }

  /** Looks whether there is room for those who wait: the node's gate has opened. */
  wake(): void {
    this.#outbox.wake();
  }

  /** Once a second: deadlines, silence, progress. */
  pulse(): void {
    if (this.#isClosed()) return;
    this.#checkExpiry();
    if (this.#state.kind === "open") this.#state.session.pulse();
    // Who cannot answer is not asked: a response is bounded in time by its transport.
    if (this.#transport.oneWay && this.#state.kind === "open") return;
    const { runtime } = this.#ports;
    const verdict = this.#liveness.judge(runtime.elapsed(), {
      phase: this.#state.kind === "open" || this.#state.kind === "needs-auth" ? this.#state.kind : "new",
      unacknowledged: this.#outbox.unacknowledged,
      oldest: this.#outbox.oldest,
      buffered: this.#transport.buffered(),
    });
    if (verdict === "ping") this.#outbox.push("critical", single({ type: "ping" }));
    else if (verdict) this.close(errorOf(verdict));
  }

  /** Tells the client that the server goes away, and when to come back. */
  announce(code: ErrorCode, retryAfter: number): void {
    this.#outbox.push("critical", single({ type: "closing", code, retryAfter }), true);
  }

  /** Ends the connection: an error message, then the close code of the table. */
  close(error: TandemError, code: number = closeCodeFor(error), id?: number): void {
    if (this.#isClosed()) return;
    this.#endSession();
    this.#state = { kind: "closed" };
    this.#outbox.purge();
    this.#outbox.push("critical", errorMessage(error, { id }));
    this.#outbox.flush();
    this.#outbox.close();
    this.#transport.close(code, error.code);
    this.#leave();
  }

  #destroy(): void {
    this.#transport.destroy();
    this.#end();
  }

  /** Ends it at once, without a word: the node is being destroyed. */
  destroy(): void {
    if (!this.#isClosed()) this.#destroy();
  }

  #leave(): void {
    this.#admission?.leave();
    this.#onClosed(this);
  }

  #endSession(goodbye = false): void {
    const { identity } = this;
    if (identity) this.#ports.followings.leave(identity, this);
    if (this.#state.kind === "open") this.#state.session.end(goodbye);
  }

  #end(goodbye = false): void {
    if (this.#isClosed()) return;
    this.#endSession(goodbye);
    this.#state = { kind: "closed" };
    this.#outbox.close();
    this.#leave();
  }
}
