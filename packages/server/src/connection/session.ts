import type {
  ClientMessage,
  Command,
  Follow,
  History,
  Lane,
  Limits,
  Publish,
  Signal,
  State,
  Subscribe,
  TandemError,
  Unfollow,
  Unsubscribe,
} from "@tandem/protocol";
import { ERRORS, errorOf } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { AccessRules } from "../access/access-rules.ts";
import type { Identity } from "../access/authenticator.ts";
import type { PersonalChannels } from "../access/personal-channels.ts";
import { Rights } from "../access/rights.ts";
import type { Channels } from "../channel/channels.ts";
import type { Outgoing } from "../delivery/message.ts";
import { single } from "../delivery/message.ts";
import type { Outbox } from "../delivery/outbox.ts";
import type { Followings } from "../following/followings.ts";
import type { Models } from "../model/models.ts";
import type { Presence } from "../presence/presence.ts";
import type { AttendanceRequest } from "./attendance.ts";
import { Attendance } from "./attendance.ts";
import { tellable } from "./failure.ts";
import { changeFollowing } from "./following.ts";
import { readHistory } from "./history.ts";
import { Publishing } from "./publishing.ts";
import type { Allowance } from "./rates.ts";
import { readState } from "./state.ts";
import { Subscriptions } from "./subscriptions.ts";
import type { Transport } from "./transport.ts";
import type { Turnstile } from "./turnstile.ts";

/** What a session stands on. */
export interface SessionPorts {
  readonly rules: AccessRules;
  readonly channels: Channels;
  readonly models: Models;
  readonly presence: Presence;
  readonly personal: PersonalChannels;
  readonly followings: Followings;
  readonly runtime: Runtime;
  readonly limits: Limits;
  readonly turnstile: Pick<Turnstile, "allowance">;
}

/** The connection that a session is held on. */
interface SessionConnection {
  readonly ports: SessionPorts;
  readonly transport: Pick<Transport, "address" | "oneWay">;
  readonly outbox: Outbox;
  /** Ends it with an error. */
  close(error: TandemError): void;
}

/** What a session has of its connection. */
export interface SessionOwn {
  readonly connection: SessionConnection;
  /** What the session before it has used of its rates, if there was one. */
  readonly rates: Allowance | undefined;
  readonly instance: Instance | undefined;
}

/** A request that a session answers. */
export type SessionRequest =
  | Subscribe
  | Unsubscribe
  | Publish
  | Command
  | State
  | History
  | Follow
  | Unfollow
  | AttendanceRequest;

/** The client instance behind a connection, as others know it. */
export interface Instance {
  readonly device: string;
  /** Which connection of the instance this is. */
  readonly connection: number;
  /** This connection stands beside the client's own. */
  readonly side: boolean;
}

/**
 * The time of one connection in which its user is known and admitted: from `welcome` until the connection ends or its
 * token does. Everything begun in it ends with it: an answer that comes later is not sent, and the client asks again.
 */
export class Session {
  readonly #connection: SessionConnection;
  /** Made when it is needed, as all that most connections never need: most are idle. */
  #rates: Allowance | undefined;
  /** Requests that wait for their answer, by id; `undefined` while there are none. */
  #requests: Map<number, SessionRequest["type"]> | undefined;
  /** Those of them that are publishes: they have a bound of their own, so that neither keeps the other out. */
  #publishes = 0;
  #publishing: Publishing | undefined;
  readonly #subscriptions: Subscriptions;
  readonly instance: Instance | undefined;
  #attendance: Attendance | undefined;
  readonly rights: Rights;
  #identity: Identity;
  #ended = false;

  constructor(identity: Identity, { connection, rates, instance }: SessionOwn) {
    const { rules, runtime } = connection.ports;
    this.#connection = connection;
    this.#identity = identity;
    this.#rates = rates;
    this.instance = instance;
    this.rights = new Rights({ rules, identity, runtime });
    this.#subscriptions = new Subscriptions(this);
  }

  get ports(): SessionPorts {
    return this.#connection.ports;
  }

  get outbox(): Outbox {
    return this.#connection.outbox;
  }

  /** It is the answer to one request: the client goes on with the next one. */
  get oneWay(): boolean {
    return this.#connection.transport.oneWay === true;
  }

  /** How fast it may publish and signal. */
  get rates(): Allowance {
    const { ports, transport } = this.#connection;
    this.#rates ??= ports.turnstile.allowance(this.#identity, transport.address);
    return this.#rates;
  }

  /** The same, where it has published or signalled. */
  get ratesSoFar(): Allowance | undefined {
    return this.#rates;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** Ends the connection with an error. */
  close(error: TandemError): void {
    this.#connection.close(error);
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Requests that wait for their answer. */
  get busy(): boolean {
    return this.#requests !== undefined;
  }

  /** The same user with a fresh token: rights may have changed. */
  renew(identity: Identity): void {
    this.#identity = identity;
    this.rights.renew(identity);
    this.#subscriptions.check();
    this.#attendance?.check();
  }

  /** Asks for all rights anew, and ends the subscriptions that are not covered any more. */
  invalidate(): void {
    this.rights.invalidate();
    this.#subscriptions.check();
    this.#attendance?.check();
  }

  /** Takes a request, in the order in which they came. */
  take(request: SessionRequest): void {
    if (this.#requests?.has(request.id)) {
      this.outbox.push("normal", errorMessage(errorOf("request-in-use"), { id: request.id }));
      return;
    }
    const { limits } = this.ports;
    const isPublish = isPublishing(request.type);
    const full = isPublish
      ? this.#publishes >= limits.inFlight
      : (this.#requests?.size ?? 0) - this.#publishes >= limits.requests;
    if (full) {
      const error = errorOf("too-many-requests", { retryAfter: 1_000 });
      this.outbox.push("normal", errorMessage(error, request));
      return;
    }
    const wait = isPublish ? this.rates.publish() : 0;
    if (wait > 0) {
      // Before the log sees it: what is refused here holds back those behind it, which the log answers out-of-sequence.
      const error = errorOf("rate-limited", { retryAfter: wait });
      this.outbox.push("normal", errorMessage(error, request));
      return;
    }
    this.#requests ??= new Map();
    this.#requests.set(request.id, request.type);
    if (isPublish) this.#publishes++;
    switch (request.type) {
      case "publish":
      case "command":
        this.#publishing ??= new Publishing(this);
        return this.#publishing.take(request);
      case "state":
        return void readState(this, request).catch((error: unknown) => this.fail(request, error));
      case "subscribe":
        return this.#subscriptions.take(request);
      case "unsubscribe":
        return this.#subscriptions.drop(request);
      case "history":
        return void readHistory(this, request).catch((error: unknown) => this.fail(request, error));
      case "follow":
      case "unfollow":
        return void changeFollowing(this, request).catch((error: unknown) => this.fail(request, error));
      default:
        return this.#attend().take(request);
    }
  }

  /** Takes signals: they are not answered, but where they are refused. */
  signal(signal: Signal): void {
    this.#attend().signal(signal);
  }

  #attend(): Attendance {
    this.#attendance ??= new Attendance(this, this.instance);
    return this.#attendance;
  }

  /** Answers a request, once. `isNews`: the answer tells what the client could not know. */
  answer(request: { readonly id: number }, lane: Lane, message: object, isNews = false): void {
    this.answerWith(request, lane, single(message), isNews);
  }

  answerWith(request: { readonly id: number }, lane: Lane, message: Outgoing, isNews = false): void {
    if (!this.#ended && this.#settle(request.id)) this.outbox.push(lane, message, isNews);
  }

  /** Answers a request with an error. What is not a `TandemError` is logged, and told as `internal`. */
  fail(request: { readonly id: number; readonly channel?: string }, error: unknown): void {
    if (this.#ended || !this.#settle(request.id)) return;
    this.outbox.push("normal", errorMessage(tellable(error, this.ports.runtime.logger), request), true);
  }

  /** @returns whether it waited for its answer */
  #settle(id: number): boolean {
    const requests = this.#requests;
    const type = requests?.get(id);
    if (!requests || !type) return false;
    if (isPublishing(type)) this.#publishes--;
    requests.delete(id);
    if (requests.size === 0) this.#requests = undefined;
    return true;
  }

  /** Once a second. */
  pulse(): void {
    this.#subscriptions.pulse();
  }

  /** The connection is about to end in good order. */
  bookmark(): void {
    this.#attendance?.bookmark();
  }

  /** @param goodbye the client has ended it, for good */
  end(goodbye = false): void {
    this.#ended = true;
    this.#requests = undefined;
    this.#publishes = 0;
    this.#subscriptions.end();
    this.#attendance?.end(goodbye);
  }
}

/** An error on the wire: of the table only; nothing of the server's inside leaves it. */
export function errorMessage(
  told: TandemError,
  about: { readonly id?: number | undefined; readonly channel?: string | undefined },
) {
  return single({
    type: "error",
    ...(about.id === undefined ? {} : { id: about.id }),
    code: told.code,
    message: told.message,
    retryable: ERRORS[told.code].retryable,
    ...(told.retryAfter === undefined ? {} : { retryAfter: told.retryAfter }),
    ...(about.channel === undefined ? {} : { channel: about.channel }),
    ...(told.expected === undefined ? {} : { expected: told.expected }),
    ...(told.issues === undefined ? {} : { issues: told.issues }),
    ...(told.reason === undefined ? {} : { reason: told.reason }),
  });
}

/** Publishes and commands: what has a producer and a place in its line. */
function isPublishing(type: SessionRequest["type"]): boolean {
  return type === "publish" || type === "command";
}

/** Is this one of the messages that a session answers? */
export function isSessionRequest(message: ClientMessage): message is SessionRequest {
  switch (message.type) {
    case "publish":
    case "command":
    case "state":
    case "subscribe":
    case "unsubscribe":
    case "history":
    case "watch":
    case "unwatch":
    case "enter":
    case "leave":
    case "roster":
    case "follow":
    case "unfollow":
      return true;
    default:
      return false;
  }
}
