import type { ErrorCode, ErrorMessage, FrameCodec, Hello, ServerMessage, Welcome } from "@tandem/protocol";
import { afterClose, closeCodeOf, isErrorCode } from "@tandem/protocol";
import type { Runtime, Store } from "@tandem/runtime";
import { Cell, fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import type { Connect, Socket } from "../transport/connect.ts";
import type { Wake } from "../transport/wake.ts";
import type { Traffic } from "./link.ts";
import { knownCode } from "./refusal.ts";
import { Renewal } from "./renewal.ts";
import { Session } from "./session.ts";
import type { Carried, Live, State } from "./state.ts";
import type { Identity, Status } from "./status.ts";
import type { TokenSource } from "./token.ts";
import { fetchToken } from "./token.ts";

/** Milliseconds from the first packet to the server's welcome. */
const HANDSHAKE_MS = 10_000;
/** A connection that held this long, in milliseconds, makes the next failure the first one again. */
const STEADY_MS = 5_000;
/** Milliseconds that a closing socket gets. */
const CLOSE_MS = 1_000;
const AGENT = "tandem-client/0.1.0";
/** Room between the numbers of two connections: a transport may make many of one, and the next one is higher than all of them. */
const NUMBERS = 2 ** 32;
const NORMAL = 1000;
const BROKEN = 4000;
const UNWANTED = 4400;
const UNAUTHENTICATED = 4401;
const REVOKED = 4403;
/** Tokens carry their time in seconds: one made in the second of a revocation, in milliseconds, falls under it. */
const SECOND_MS = 1_000;

export interface Credentials {
  readonly token?: TokenSource | undefined;
  readonly guest: { readonly secret: string; readonly name?: string | undefined };
}

export interface ConnectionPorts {
  readonly runtime: Runtime;
  readonly connect: Connect;
  readonly wake: Wake;
  readonly codec: FrameCodec;
  readonly traffic: Traffic;
}

/** Keeps one connection to the server, and makes another when it is lost. Every change of state goes through `#enter`. */
export class Connection {
  readonly status: Store<Status>;
  readonly identity: Store<Identity | undefined>;
  readonly #status: Cell<Status>;
  readonly #identity: Cell<Identity | undefined>;
  readonly #url: string;
  readonly #credentials: Credentials;
  readonly #ports: ConnectionPorts;
  readonly #alarm: Alarm;
  readonly #stopListening: () => void;
  #state: State = { kind: "away" };
  /** This client claims its places in presence again by it. */
  readonly #secret: string;
  #opened = 0;
  #failures = 0;
  /** A refused token is answered by a fresh one, once, at once. */
  #triedFresh = false;
  /** What the server said was wrong with this connection. */
  #complaint: ErrorMessage | undefined;

  constructor(url: string, credentials: Credentials, ports: ConnectionPorts) {
    this.#url = url;
    this.#credentials = credentials;
    this.#ports = ports;
    this.#alarm = new Alarm(ports.runtime);
    this.#secret = ports.runtime.randomId();
    const onError = (error: unknown) => ports.runtime.logger.error({ error }, "a listener of the client threw");
    this.status = this.#status = new Cell<Status>({ kind: "offline" }, onError);
    this.identity = this.#identity = new Cell<Identity | undefined>(undefined, onError);
    this.#stopListening = ports.wake.listen(() => this.#wake());
  }

  connect(): void {
    const { kind } = this.#state;
    if (kind !== "away" && kind !== "blocked" && kind !== "waiting") return;
    this.#triedFresh = false;
    this.#attempt();
  }

  disconnect(): void {
    this.#failures = 0;
    if (this.#state.kind !== "closed") this.#enter({ kind: "away" }, { kind: "offline" });
  }

  /** Brings a fresh token to the server now. */
  authenticate(): void {
    if (this.#state.kind === "live") this.#state.renewal?.renew();
    else this.connect();
  }

  /** Ends it for good. Resolves when the socket is gone, or has had its time. */
  async close(): Promise<void> {
    if (this.#state.kind === "closed") return;
    const gone = "gone" in this.#state ? this.#state.gone : undefined;
    this.#stopListening();
    this.#enter({ kind: "closed" }, { kind: "closed" });
    if (!gone) return;
    await new Promise<void>((resolve) => {
      const timer = this.#ports.runtime.timer(CLOSE_MS, resolve);
      void gone.then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  /** The one place where the state changes: what the old state held is let go of, then the world is told. */
  #enter(next: State, status: Status, alarm?: { readonly ms: number; readonly action: () => void }): void {
    const old = this.#state;
    this.#state = next;
    this.#alarm.cancel();
    if (alarm) this.#alarm.set(alarm.ms, alarm.action);
    if (old.kind === "opening") old.giveUp();
    if (next.kind === "live") {
      this.#ports.traffic.attach(next.session);
    } else if ("session" in old) {
      old.session.end();
      old.socket.close(next.kind === "away" || next.kind === "closed" ? NORMAL : BROKEN, "");
      if (old.kind === "live") {
        old.renewal?.stop();
        if (!old.lapsed) this.#ports.traffic.detach();
      }
    }
    this.#tell(next, status);
  }

  /** Tells the status of a state, unless someone who was told before has changed the state since. */
  #tell(state: State, status: Status): void {
    if (this.#state === state) this.#status.set(status);
  }

  /** `connecting` is the status meanwhile: who moves to a better road stays connected. */
  #attempt(connecting: Status = { kind: "connecting", attempt: this.#failures + 1 }): void {
    const { token, guest } = this.#credentials;
    if (!token) return this.#open({ guest }, connecting);
    const giveUp = fetchToken(this.#ports.runtime, token, (result) => {
      if (typeof result === "string") this.#open({ token: result }, connecting);
      else this.#retry(result.code, 0);
    });
    this.#enter({ kind: "opening", giveUp }, connecting);
  }

  #open(who: Pick<Hello, "token" | "guest">, connecting: Status): void {
    const { runtime, connect, codec, traffic } = this.#ports;
    this.#complaint = undefined;
    let leave = () => {};
    const gone = new Promise<void>((resolve) => {
      leave = resolve;
    });
    let socket: Socket | undefined;
    const session = new Session(runtime, codec, (frame) => socket?.send(frame), {
      ...traffic,
      message: (message) => this.#message(message),
      latency: (latency) => this.#measured(latency),
      broken: ({ code, message }) => this.#lost(BROKEN, code, message),
    });
    const hello = session.nextId();
    const instance = { secret: this.#secret, connection: NUMBERS * ++this.#opened };
    try {
      socket = connect(this.#url, codec.subprotocol, {
        opened: () => session.post({ type: "hello", id: hello, ...who, instance, agent: AGENT }),
        frame: (frame) => session.receive(frame),
        moved: () => session.ended || this.#attempt(this.#status.get()),
        closed: (code, reason) => {
          leave();
          if (!session.ended) this.#closedByServer(code, reason);
        },
      });
    } catch (error) {
      runtime.logger.error({ error }, "the connection could not be opened");
      return this.#retry("disconnected", 0);
    }
    this.#enter({ kind: "greeting", socket, session, gone, hello }, connecting, {
      ms: HANDSHAKE_MS,
      action: () => this.#lost(BROKEN, "handshake-timeout", "The server did not welcome this client in time."),
    });
  }

  #message(message: ServerMessage): void {
    const state = this.#state;
    if (message.type === "welcome") this.#welcomed(message);
    else if (message.type === "error" && (message.code === "needs-auth" || message.channel === undefined)) {
      this.#complained(message);
    } else if (state.kind === "live") {
      if (message.type === "closing") state.notBefore = this.#ports.runtime.elapsed() + message.retryAfter;
      else if (!state.lapsed) this.#ports.traffic.message(message);
    }
  }

  #welcomed(welcome: Welcome): void {
    const state = this.#state;
    const { user, tenant, name, connection } = welcome;
    const known = this.#identity.get();
    if (known && (known.user !== user || known.tenant !== tenant)) {
      // The queue is another user's, and so are its producers: sent now, it could take effect twice.
      return this.#block("wrong-user", "The token is another user's: each user needs a client of its own.");
    }
    const greeted = state.kind === "greeting" && welcome.id === state.hello;
    const renewed = state.kind === "live" && state.renewal?.awaits(welcome.id);
    if (!greeted && !renewed) return;
    const live = state.kind === "live" ? state : this.#liveFrom(state);
    live.session.welcomed(welcome);
    this.#triedFresh = false;
    this.#identity.set({ user, tenant, name, connection });
    if (this.#state !== state) return;
    const status = connectedOn(live);
    if (live !== state) this.#enter(live, status);
    else if (live.lapsed) {
      live.lapsed = false;
      this.#ports.traffic.attach(live.session);
      this.#tell(live, status);
    }
    if (this.#state === live) live.renewal?.accepted(welcome);
  }

  #liveFrom({ socket, session, gone }: Carried): Live {
    const { runtime } = this.#ports;
    const { token } = this.#credentials;
    const renewal =
      token &&
      new Renewal(runtime, token, {
        send: (fresh) => {
          const id = session.nextId();
          session.post({ type: "refresh", id, token: fresh });
          return id;
        },
        delayed: (reason) => live.lapsed && this.#tell(live, { kind: "needs-auth", reason }),
        refused: (code, message) => {
          if (live.lapsed) this.#block(code, message);
          // Until the old token ends the connection stands; then the next one decides.
          else runtime.logger.warn({ code }, "the fresh token was refused");
        },
        unanswered: () => this.#lost(BROKEN, "handshake-timeout", "The fresh token was left unanswered."),
      });
    const live: Live = {
      kind: "live",
      socket,
      session,
      gone,
      renewal,
      since: runtime.now(),
      steadyFrom: runtime.elapsed(),
      latency: undefined,
      lapsed: false,
      notBefore: 0,
    };
    return live;
  }

  #complained(complaint: ErrorMessage): void {
    const state = this.#state;
    const { id, message, retryable, retryAfter } = complaint;
    const code = knownCode(complaint.code);
    if (id === undefined) this.#complaint = complaint;
    if (state.kind === "greeting" && id === state.hello) {
      this.#lost(closeCodeOf(code) ?? (retryable ? BROKEN : UNWANTED), code, message, retryAfter);
    } else if (state.kind === "live") {
      if (code === "needs-auth") this.#lapse(state, message);
      else if (state.renewal?.awaits(id)) state.renewal.rejected(complaint);
    }
  }

  #closedByServer(close: number, reason: string): void {
    const said = this.#complaint;
    // An older complaint need not be what ended the connection.
    if (said && closeCodeOf(knownCode(said.code)) === close) {
      return this.#lost(close, knownCode(said.code), said.message, said.retryAfter);
    }
    const code = isErrorCode(reason) ? reason : "disconnected";
    this.#lost(close, code, `The connection ended: ${code}.`);
  }

  /** The connection is of no use any more: comes back, or not, as its close code says. */
  #lost(close: number, code: ErrorCode, message: string, retryAfter = 0): void {
    const state = this.#state;
    if (!("session" in state)) return;
    this.#ports.runtime.logger.info({ close, code }, message);
    let wait = retryAfter;
    if (state.kind === "live") {
      const elapsed = this.#ports.runtime.elapsed();
      if (elapsed - state.steadyFrom >= STEADY_MS) this.#failures = 0;
      wait = Math.max(wait, state.notBefore - elapsed);
    }
    if (afterClose(close) !== "stop") return this.#retry(code, wait);
    const ofToken = close === UNAUTHENTICATED || close === REVOKED;
    if (!ofToken || !this.#credentials.token || this.#triedFresh) return this.#block(code, message);
    this.#triedFresh = true;
    if (close === REVOKED) this.#retry(code, SECOND_MS);
    else this.#attempt();
  }

  #block(code: ErrorCode, message: string): void {
    this.#enter({ kind: "blocked" }, { kind: "blocked", code, message });
  }

  /** Tries again after a while, `atLeast` so many milliseconds. */
  #retry(reason: ErrorCode, atLeast: number): void {
    const { runtime, wake } = this.#ports;
    const ms = Math.max(atLeast, fullJitter(this.#failures, runtime.random()));
    this.#failures++;
    const status: Status = { kind: "reconnecting", attempt: this.#failures, nextTry: runtime.now() + ms, reason };
    this.#enter(
      { kind: "waiting", notBefore: runtime.elapsed() + atLeast, status },
      wake.online() ? status : { kind: "offline" },
      { ms, action: () => this.#attempt() },
    );
  }

  /** The network or the page came back, or went. */
  #wake(): void {
    const state = this.#state;
    const { runtime, wake } = this.#ports;
    if (state.kind === "live") state.session.probe();
    if (state.kind !== "waiting") return;
    if (!wake.online()) this.#tell(state, { kind: "offline" });
    else if (runtime.elapsed() >= state.notBefore) this.#attempt();
    else this.#tell(state, state.status);
  }

  #measured(latency: number): void {
    const state = this.#state;
    if (state.kind !== "live") return;
    state.latency = latency;
    if (!state.lapsed) this.#tell(state, connectedOn(state));
  }

  /** The server has let go of subscriptions and requests: nothing goes on without a fresh token. */
  #lapse(live: Live, message: string): void {
    if (!live.renewal) return this.#lost(BROKEN, "needs-auth", message);
    if (live.lapsed) return;
    live.lapsed = true;
    live.session.drop();
    live.renewal.renew();
    this.#ports.traffic.detach();
    this.#tell(live, { kind: "needs-auth", reason: "needs-auth" });
  }
}

function connectedOn({ since, latency, socket }: Live): Status {
  return { kind: "connected", since, latency, transport: socket.transport };
}
