import type { ClientMessage, Filter, Lane, Position, ServerMessage } from "@tandem/protocol";
import { channelType } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import { app } from "../app.ts";
import type { Connection } from "../connection.ts";

/** A subscription as it was told to the client. */
export interface Standing {
  /** What the client was told last: nothing up to here is missing. */
  readonly position: Position;
  readonly lane: Lane;
  readonly filter: Filter | undefined;
  /** Offset up to which everything is replayed, whatever the channel's overflow policy. */
  readonly head: number;
}

/** A message with its lane; `undefined` where it has none of its own. */
interface Laned {
  readonly message: ServerMessage;
  readonly lane: Lane | undefined;
}

/** What was handed to a socket in one go. */
export interface Flush {
  /** Each frame: its bytes, and whether it delivers. One with a page does not: a page is an answer, and may be longer than any window. */
  readonly frames: { readonly bytes: number; readonly delivers: boolean }[];
  /** In order, over all frames. */
  readonly messages: Laned[];
}

/** What was said on one connection so far, and how things stand by it. */
export class Dialogue {
  readonly connection: Connection;
  /** Reports what is wrong on this connection. */
  readonly wrong: (rule: string, text: string) => void;
  readonly standing = new Map<string, Standing>();
  /** Who the client is, once it was welcomed. */
  identity: Identity | undefined;
  readonly #requests = new Map<number, ClientMessage>();
  readonly #identify: (token: string) => Identity | undefined;
  #flush: Flush = { frames: [], messages: [] };

  constructor(
    connection: Connection,
    identify: (token: string) => Identity | undefined,
    wrong: (rule: string, text: string) => void,
  ) {
    this.connection = connection;
    this.#identify = identify;
    this.wrong = wrong;
  }

  /** The client has asked for something. */
  ask(message: ClientMessage): void {
    if ("id" in message && !this.#requests.has(message.id)) this.#requests.set(message.id, message);
  }

  /**
   * Until when the client is known, by a fresh token too that its node has and whose welcome it has not handed over yet: what was queued before the welcome
   * goes out before it. In milliseconds since 1970.
   */
  get knownUntil(): number {
    const tokens = [...this.#requests.values()].flatMap((request) => (request.type === "refresh" ? request.token : []));
    const identities = [this.identity, ...tokens.map((token) => this.#identify(token))];
    return Math.max(...identities.map((one) => (one ? (one.expires ?? Number.POSITIVE_INFINITY) : 0)));
  }

  /** What a message of the node answers. Each request is answered once. */
  answered(message: ServerMessage): ClientMessage | undefined {
    if (!("id" in message) || message.id === undefined) return undefined;
    const request = this.#requests.get(message.id);
    this.#requests.delete(message.id);
    return request;
  }

  /** Goes on past a message that the node has handed over. */
  moveOn(message: ServerMessage, request: ClientMessage | undefined): void {
    this.#flush.messages.push({ message, lane: this.#laneOf(message, request) });
    switch (message.type) {
      case "welcome":
        if ((request?.type === "hello" || request?.type === "refresh") && request.token !== undefined)
          this.identity = this.#identify(request.token);
        return;
      case "error":
        if (message.code === "needs-auth" && message.id === undefined) this.standing.clear();
        return;
      case "unsubscribed":
        this.standing.delete(message.channel);
        return;
      case "subscribed": {
        if (request?.type !== "subscribe") return;
        const { position, head, channel } = message;
        const lane = request.lane ?? priorityOf(channel);
        this.standing.set(channel, { position, head, lane, filter: request.filter });
        return;
      }
      case "reset":
        this.#move(message.channel, message.position, message.position.offset);
        return;
      case "events": {
        const { channel, epoch, to, tag } = message;
        const before = this.standing.get(channel)?.position.epoch ?? "";
        this.#move(channel, { epoch: epoch ?? before, offset: to, tag });
        return;
      }
      default:
        return;
    }
  }

  #move(channel: string, position: Position, head?: number): void {
    const standing = this.standing.get(channel);
    if (standing) this.standing.set(channel, { ...standing, position, head: head ?? standing.head });
  }

  framed(bytes: number, delivers: boolean): void {
    this.#flush.frames.push({ bytes, delivers });
  }

  /** What was handed over since this was asked last. */
  takeFlush(): Flush {
    const flush = this.#flush;
    this.#flush = { frames: [], messages: [] };
    return flush;
  }

  /** The lane that a message belongs in (D7), asked before the dialogue moves on. */
  #laneOf(message: ServerMessage, request: ClientMessage | undefined): Lane | undefined {
    switch (message.type) {
      case "welcome":
      case "ping":
      case "pong":
      case "closing":
        return "critical";
      case "published":
        return "normal";
      case "page":
      case "piece":
        return priorityOf(message.channel);
      case "subscribed":
        return request?.type === "subscribe" ? (request.lane ?? priorityOf(message.channel)) : undefined;
      case "events":
      case "reset":
      case "unsubscribed":
        return this.standing.get(message.channel)?.lane;
      case "error":
        return request?.type === "publish" || request?.type === "command" || request?.type === "subscribe"
          ? "normal"
          : undefined;
      default:
        return undefined;
    }
  }
}

/** The lane of a channel where a subscription names none. */
function priorityOf(channel: string): Lane {
  const types: Readonly<Record<string, { readonly priority: Lane }>> = app.channels;
  return types[channelType(channel)]?.priority ?? "normal";
}
