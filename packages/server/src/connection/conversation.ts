import type { ClientMessage, FollowingList, Hello, Refresh } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Identity } from "../access/authenticator.ts";
import { single } from "../delivery/message.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { AdmittancePorts } from "./admittance.ts";
import { check, identify, instanceOf, isOver } from "./admittance.ts";
import { tellable } from "./failure.ts";
import type { InboundEvents } from "./inbound.ts";
import type { Allowance } from "./rates.ts";
import type { Instance, SessionPorts } from "./session.ts";
import { errorMessage, isSessionRequest, Session } from "./session.ts";
import type { Transport } from "./transport.ts";
import type { Turnstile } from "./turnstile.ts";
import { welcomeMessage } from "./welcome.ts";

/** What a conversation stands on. */
export interface ConversationPorts extends SessionPorts, AdmittancePorts {
  readonly runtime: Runtime;
  readonly turnstile: Turnstile;
}

/** The connection on which it is held. */
export interface Carrier {
  readonly id: string;
  readonly ports: ConversationPorts;
  readonly transport: Pick<Transport, "address" | "side" | "oneWay">;
  readonly outbox: Outbox;
  /** The client was admitted: what it said behind its `hello` is heard. */
  admitted(): void;
  /** It has brought a fresh token. */
  renewed(): void;
  /** It has processed so many frames. */
  received(frames: number): void;
  /** Its token has ended. */
  suspend(reason: TandemError): void;
  close(error: TandemError, code?: number, id?: number): void;
}

type State =
  /** Nothing but `hello` is answered. */
  | { readonly kind: "new" }
  | { readonly kind: "authenticating" }
  | { readonly kind: "open"; readonly session: Session }
  /** The token ended: nothing but `refresh` is answered, nothing is delivered. What the next session is to have is kept. */
  | {
      readonly kind: "needs-auth";
      readonly identity: Identity;
      readonly rates: Allowance | undefined;
      readonly instance: Instance | undefined;
    }
  | { readonly kind: "over" };

/**
 * What is said on one connection: who says it, and what is answered in which state.
 *
 * new ─ hello ─▸ authenticating ─▸ open ─ token ends ─▸ needs-auth ─ refresh ─▸ open
 *
 * Every state ends in over, with the connection.
 */
export class Conversation implements InboundEvents {
  readonly #carrier: Carrier;
  #state: State = { kind: "new" };
  #refreshing = false;
  /** Who has a place of its user, and is told what that follows, from its admission to the end; a side connection has neither. */
  #placed: Identity | undefined;

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  get kind(): State["kind"] {
    return this.#state.kind;
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

  /** A fresh token is looked at. */
  get refreshing(): boolean {
    return this.#refreshing;
  }

  wrong(error: TandemError, id: number | undefined, tooMany: boolean): void {
    if (this.#isOver()) return;
    if (this.#state.kind === "new" || this.#state.kind === "authenticating")
      return this.#carrier.close(error, 4400, id);
    if (tooMany) return this.#carrier.close(errorOf("too-many-errors"));
    this.#carrier.outbox.push("normal", errorMessage(error, { id }));
  }

  #isOver(): boolean {
    return this.#state.kind === "over";
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
      case "over":
        return;
      case "new":
      case "authenticating":
        if (message.type === "hello" && state.kind === "new") return void this.#greet(message);
        return this.#carrier.close(errorOf("not-authenticated"));
      case "needs-auth":
        if (isSessionRequest(message))
          return this.#carrier.outbox.push("normal", errorMessage(errorOf("needs-auth"), message));
        return this.#takeAlways(message);
      case "open":
        this.checkExpiry();
        if (this.#state.kind !== "open") return this.#take(message);
        if (message.type === "signal") return state.session.signal(message);
        if (isSessionRequest(message)) return state.session.take(message);
        return this.#takeAlways(message);
    }
  }

  #takeAlways(message: Exclude<ClientMessage, Parameters<Session["take"]>[0]>): void {
    const { outbox, ports } = this.#carrier;
    switch (message.type) {
      case "hello":
        return outbox.push("normal", errorMessage(errorOf("already-authenticated"), message));
      case "refresh":
        return void this.#refresh(message);
      case "received":
        return this.#carrier.received(message.frames);
      case "ping":
        return outbox.push("critical", single({ type: "pong", time: ports.runtime.now() }));
      case "pong":
      case "signal":
        return;
    }
  }

  async #greet(hello: Hello): Promise<void> {
    const { ports, transport } = this.#carrier;
    const side = transport.side === true;
    this.#state = { kind: "authenticating" };
    try {
      const identity = await identify(ports, hello);
      if (this.#isOver()) return;
      ports.turnstile.admit(identity, transport.address, side);
      if (!side) {
        this.#placed = identity;
        await ports.followings.enter(identity, this);
      }
      if (this.#isOver()) return;
      // Who that is may have been revoked meanwhile, and who has no session yet was not looked at then.
      check(ports, identity);
      this.#open(identity, undefined, instanceOf(ports, hello, identity, side));
      this.#welcome(hello.id, hello.following);
      this.#carrier.admitted();
    } catch (error) {
      if (!this.#isOver()) this.#carrier.close(tellable(error, ports.runtime.logger), undefined, hello.id);
    }
  }

  following(list: FollowingList): void {
    if (this.#state.kind === "open") this.#carrier.outbox.push("normal", single({ type: "following", ...list }), true);
  }

  #open(identity: Identity, rates: Allowance | undefined, instance: Instance | undefined): void {
    const session = new Session(identity, { connection: this.#carrier, rates, instance });
    this.#state = { kind: "open", session };
  }

  /** @param told the version of the list that the client was told last */
  #welcome(id: number, told?: number): void {
    if (this.#state.kind !== "open") return;
    const { identity, instance } = this.#state.session;
    const { runtime, limits, followings } = this.#carrier.ports;
    const following = followings.known(identity);
    const about = { device: instance?.device, following };
    const welcome = welcomeMessage(id, this.#carrier.id, identity, runtime.now(), limits, about);
    this.#carrier.outbox.push("critical", welcome, told !== undefined && told !== following.version);
  }

  async #refresh(refresh: Refresh): Promise<void> {
    const { ports, outbox } = this.#carrier;
    if (this.#refreshing) return outbox.push("normal", errorMessage(errorOf("request-in-use"), refresh));
    this.#refreshing = true;
    try {
      const identity = await identify(ports, { token: refresh.token });
      const state = this.#state;
      const known = this.identity;
      if (!known || (state.kind !== "open" && state.kind !== "needs-auth")) return;
      if (identity.user !== known.user || identity.tenant !== known.tenant) throw errorOf("wrong-user");
      check(ports, identity);
      if (state.kind === "open") state.session.renew(identity);
      else this.#open(identity, state.rates, state.instance);
      this.#carrier.renewed();
      this.#welcome(refresh.id);
    } catch (error) {
      if (!this.#isOver()) outbox.push("normal", errorMessage(tellable(error, ports.runtime.logger), refresh));
    } finally {
      this.#refreshing = false;
    }
  }

  /** Does the token end within so many milliseconds? */
  endsWithin(ms: number): boolean {
    return this.#state.kind === "open" && isOver(this.#state.session.identity, this.#carrier.ports.runtime.now() + ms);
  }

  checkExpiry(): void {
    if (this.#state.kind !== "open" || !isOver(this.#state.session.identity, this.#carrier.ports.runtime.now())) return;
    this.#carrier.suspend(new TandemError("needs-auth", "The token has expired: send a fresh one in `refresh`."));
  }

  /** Says what the client is to bring back, before a response ends in good order. */
  bookmark(): void {
    if (this.#state.kind === "open") this.#state.session.bookmark();
  }

  /** The token has ended: the session ends with it, and a fresh one is waited for. */
  suspend(): void {
    if (this.#state.kind !== "open") return;
    const { session } = this.#state;
    session.end();
    const { identity, instance } = session;
    this.#state = { kind: "needs-auth", identity, rates: session.ratesSoFar, instance };
  }

  /** Its rights may have changed. */
  invalidate(): void {
    if (this.#state.kind === "open") this.#state.session.invalidate();
  }

  /** Once a second. */
  pulse(): void {
    this.checkExpiry();
    if (this.#state.kind === "open") this.#state.session.pulse();
  }

  /** The connection ends. `goodbye`: the client has ended it, for good. */
  end(goodbye: boolean): void {
    if (this.#state.kind === "open") this.#state.session.end(goodbye);
    this.#state = { kind: "over" };
    if (!this.#placed) return;
    const { followings, turnstile } = this.#carrier.ports;
    followings.leave(this.#placed, this);
    turnstile.leave(this.#placed);
  }
}
