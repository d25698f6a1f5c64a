import type {
  ClientMessage,
  Codec,
  Events,
  Page,
  Position,
  Published,
  Reset,
  ServerMessage,
  Subscribe,
  Subscribed,
} from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import type { Clock } from "./clock.ts";
import type { Connection, Wiretap } from "./connection.ts";
import { compare, sees } from "./eyes.ts";
import type { History } from "./history.ts";
import type { Ledger } from "./ledger.ts";
import { publishNumber } from "./ledger.ts";
import { Register } from "./presence/register.ts";
import type { Process } from "./process.ts";
import type { Revocations } from "./revocations.ts";
import type { Tally } from "./tally.ts";
import type { Tokens } from "./tokens.ts";
import type { Trace } from "./trace.ts";

/** Frames of events that may be on the way without acknowledgement: a window, the share of urgent lanes, one last piece. */
const WINDOW_SHARE = 1.25;
const LAST_PIECE = 49_152;

/** An event that comes so many milliseconds after its commit to someone who was at the head before was caught up with. */
const SLOW_MS = 500;

/** Every node has learned by now, in milliseconds, of what happened to the store. */
const UPHEAVAL_MS = 15_000;

/** What was said on one connection so far, and what follows from it. */
interface Spoken {
  identity: Identity | undefined;
  readonly requests: Map<number, ClientMessage>;
  readonly standing: Map<string, Position>;
  /** Channels whose newest events came as they were stored. */
  readonly live: Set<string>;
  /** Bytes of events in each frame that is not acknowledged, oldest first. */
  readonly unacknowledged: number[];
  frames: number;
  acknowledged: number;
}

type Wrong = (rule: string, text: string) => void;

/**
 * Hears every frame of every connection and holds it against the ledger at the moment it is handed over: what is
 * delivered was committed, in order, whole, to someone who may have it now.
 */
export class Wire implements Wiretap {
  readonly #clock: Clock;
  readonly #ledger: Ledger;
  readonly #history: History;
  readonly #tokens: Tokens;
  readonly #revocations: Revocations;
  readonly #tally: Tally;
  readonly #trace: Trace;
  readonly #windowBytes: number;
  readonly #spoken = new Map<Connection, Spoken>();
  readonly #nodeOf = new Map<Process, Process>();
  /** What is said of presence. */
  readonly register: Register;

  constructor(options: {
    clock: Clock;
    ledger: Ledger;
    history: History;
    tokens: Tokens;
    revocations: Revocations;
    tally: Tally;
    trace: Trace;
    windowBytes: number;
  }) {
    this.#clock = options.clock;
    this.#ledger = options.ledger;
    this.#history = options.history;
    this.#tokens = options.tokens;
    this.#revocations = options.revocations;
    this.#tally = options.tally;
    this.#trace = options.trace;
    this.#windowBytes = options.windowBytes;
    this.register = new Register(options);
  }

  arriving(connection: Connection, bytes: Uint8Array): void {
    this.#trace.bytes(this.#clock.now, bytes);
    this.#trace.say(
      this.#clock.now,
      () =>
        `${connection.client.name} → ${connection.node.name} #${connection.number} ${text(connection.codec, bytes)}`,
    );
    const spoken = this.#of(connection);
    for (const message of decode(connection.codec, bytes) as ClientMessage[]) {
      this.register.asked(connection, message);
      if (message.type === "received") {
        spoken.acknowledged = message.frames;
        while (spoken.frames - spoken.unacknowledged.length < spoken.acknowledged) spoken.unacknowledged.shift();
      } else if ("id" in message && !spoken.requests.has(message.id)) spoken.requests.set(message.id, message);
    }
  }

  received(connection: Connection, bytes: Uint8Array): void {
    this.#trace.bytes(this.#clock.now, bytes);
    this.#trace.say(
      this.#clock.now,
      () => `${connection.client.name} has #${connection.number} ${text(connection.codec, bytes)}`,
    );
  }

  leaving(connection: Connection): void {
    this.register.ended(connection);
  }

  gone(connection: Connection): void {
    this.register.ended(connection);
    this.#spoken.delete(connection);
  }

  sending(connection: Connection, bytes: Uint8Array): void {
    this.#trace.say(
      this.#clock.now,
      () =>
        `${connection.node.name} → ${connection.client.name} #${connection.number} ${text(connection.codec, bytes)}`,
    );
    const spoken = this.#of(connection);
    const wrong: Wrong = (rule, what) =>
      this.#history.violate(rule, this.#clock.now, `${connection.node.name} → ${connection.client.name}: ${what}`);
    let carriesEvents = false;
    for (const message of decode(connection.codec, bytes) as ServerMessage[]) {
      carriesEvents ||= message.type === "events" || message.type === "page";
      this.#hear(connection, spoken, message, wrong);
      this.register.told(connection, message);
    }
    spoken.frames++;
    spoken.unacknowledged.push(carriesEvents ? bytes.length : 0);
    const onTheWay = spoken.unacknowledged.reduce((sum, size) => sum + size, 0);
    if (carriesEvents && onTheWay > this.#windowBytes * WINDOW_SHARE + LAST_PIECE) {
      wrong("G11", `${onTheWay} bytes of events are on the way without acknowledgement`);
    }
  }

  #of(connection: Connection): Spoken {
    let spoken = this.#spoken.get(connection);
    if (!spoken) {
      spoken = {
        identity: undefined,
        requests: new Map(),
        standing: new Map(),
        live: new Set(),
        unacknowledged: [],
        frames: 0,
        acknowledged: 0,
      };
      this.#spoken.set(connection, spoken);
    }
    return spoken;
  }

  #hear(connection: Connection, spoken: Spoken, message: ServerMessage, wrong: Wrong): void {
    const request = "id" in message && message.id !== undefined ? spoken.requests.get(message.id) : undefined;
    if ("id" in message && message.id !== undefined) spoken.requests.delete(message.id);
    switch (message.type) {
      case "welcome":
        if (request?.type !== "hello" && request?.type !== "refresh")
          return wrong("wire", "a welcome answers no hello and no refresh");
        if (request.type === "hello") this.#noteFailover(connection);
        spoken.identity = request.token === undefined ? undefined : this.#tokens.identity(request.token);
        this.#tally.count("path", request.type);
        return;
      case "error":
        this.#tally.count("path", `error.${message.code}`);
        if (message.code === "internal")
          wrong("G12", `an error of the server's own answers ${JSON.stringify(request)}`);
        if (message.code === "needs-auth" && message.id === undefined) spoken.standing.clear();
        return;
      case "unsubscribed":
        spoken.standing.delete(message.channel);
        return;
      case "closing":
        this.#tally.count("path", "closing");
        return;
      case "ping":
      case "pong":
      case "watching":
      case "unwatched":
      case "entered":
      case "left":
      case "members":
      case "roster-page":
      case "signals":
      case "unsignalled":
      case "followed":
      case "unfollowed":
      case "following":
        return;
      default: {
        const identity = spoken.identity;
        if (!identity) return wrong("G10", `${message.type} before the client said who it is`);
        this.#checkAuthority(connection, identity, message, wrong);
        return this.#checkContent(spoken, identity, message, request, wrong);
      }
    }
  }

  /** A client that comes to another node than it was at. */
  #noteFailover({ client, node }: Connection): void {
    const before = this.#nodeOf.get(client);
    this.#nodeOf.set(client, node);
    if (before && before !== node) this.#tally.count("path", "failover");
  }

  #checkAuthority(connection: Connection, identity: Identity, message: { type: string }, wrong: Wrong): void {
    const now = connection.node.runtime.now();
    if (identity.expires !== undefined && now >= identity.expires) {
      wrong("G10", `${message.type} was handed over ${now - identity.expires} ms after the token expired`);
    }
    const late = this.#revocations.overdue(identity, this.#clock.now, connection.node, message.type);
    if (late !== undefined)
      wrong("G10", `${message.type} was handed over ${Math.round(late)} ms after ${identity.user} was revoked`);
  }

  #checkContent(
    spoken: Spoken,
    identity: Identity,
    message: Subscribed | Reset | Events | Published | Page,
    request: ClientMessage | undefined,
    wrong: Wrong,
  ): void {
    switch (message.type) {
      case "subscribed":
        return this.#subscribed(spoken, identity, message, request, wrong);
      case "reset":
        this.#tally.count("path", `reset.${message.reason}`);
        if (!spoken.standing.has(message.channel))
          wrong("wire", `a reset of ${message.channel} without a subscription`);
        this.#exists(identity, message.channel, message.position, wrong);
        spoken.standing.set(message.channel, message.position);
        return;
      case "events":
        return this.#events(spoken, identity, message, wrong);
      case "published":
        return this.#published(identity, message, request, wrong);
      case "page":
        return this.#page(identity, message, request, wrong);
    }
  }

  #exists(identity: Identity, channel: string, position: Position, wrong: Wrong): void {
    const key = `${identity.tenant}/${channel}`;
    if (position.offset > 0 && !this.#ledger.at(key, position)) {
      wrong("G3", `${channel} never stood at ${JSON.stringify(position)}`);
    }
  }

  #subscribed(
    spoken: Spoken,
    identity: Identity,
    message: Subscribed,
    request: ClientMessage | undefined,
    wrong: Wrong,
  ): void {
    const { channel, position, reset, head } = message;
    if (request?.type !== "subscribe" || request.channel !== channel)
      return wrong("wire", "subscribed answers no subscribe");
    if (!mayOn(identity, channel)) wrong("G10", `${identity.user} was let in on ${channel}`);
    this.#exists(identity, channel, position, wrong);
    if (head < position.offset)
      wrong("wire", `the head ${head} of ${channel} lies before the position ${position.offset}`);
    spoken.standing.set(channel, position);
    spoken.live.delete(channel);
    if (reset) this.#tally.count("path", `reset.${reset}`);
    else if (head > position.offset) this.#tally.count("path", "catch-up");
    this.#checkStart(identity, request, message, wrong);
    this.#checkAtLeast(identity, request, message, wrong);
  }

  /** Goes on from where the client was, or says that it does not; and says so only where it is true. */
  #checkStart(identity: Identity, { from }: Subscribe, { channel, position, reset }: Subscribed, wrong: Wrong): void {
    if (!from || !("epoch" in from)) return;
    const key = `${identity.tenant}/${channel}`;
    const unborn = from.epoch === "-" && from.offset === 0;
    const same =
      position.offset === from.offset && position.tag === from.tag && (unborn || position.epoch === from.epoch);
    if (!reset) {
      if (!same)
        wrong("G3", `${channel} was resumed at ${JSON.stringify(position)} and not at ${JSON.stringify(from)}`);
      return;
    }
    // A node may not have learned yet that the store went back to a backup, or that the channel's life has ended.
    const upheavals = [
      ...this.#ledger.restorations,
      ...this.#ledger.removals.filter((removal) => removal.channel === key),
    ];
    if (upheavals.some(({ at }) => this.#clock.now - at < UPHEAVAL_MS)) return;
    const line = this.#ledger.line(key);
    const fact = unborn ? undefined : this.#ledger.at(key, from);
    const known =
      unborn ||
      (from.offset === 0 ? line?.epoch === from.epoch : fact !== undefined && line?.facts[from.offset - 1] === fact);
    if (known && from.offset + 1 >= (line?.first ?? 1)) {
      wrong("G3", `${channel} was reset (${reset}) though ${JSON.stringify(from)} stands and what follows it is kept`);
    }
  }

  #checkAtLeast(
    identity: Identity,
    { from, atLeast }: Subscribe,
    { channel, position, reset, head }: Subscribed,
    wrong: Wrong,
  ): void {
    if (!atLeast) return;
    const key = `${identity.tenant}/${channel}`;
    const fact = this.#ledger.at(key, atLeast);
    if (!fact || fact.lost || this.#ledger.line(key)?.epoch !== atLeast.epoch) return;
    this.#tally.count("path", "at-least");
    if (head < atLeast.offset)
      wrong("G4", `${channel} was answered at head ${head}, asked for at least ${atLeast.offset}`);
    if (!from && !reset && position.offset < atLeast.offset) {
      wrong("G4", `${channel} "from now" begins at ${position.offset}, before ${atLeast.offset}`);
    }
  }

  #events(spoken: Spoken, identity: Identity, message: Events, wrong: Wrong): void {
    const { channel, from, to, tag, epoch, events } = message;
    const position = spoken.standing.get(channel);
    if (!position) return wrong("wire", `events of ${channel} without a subscription`);
    if (from !== position.offset)
      wrong("G3", `events of ${channel} cover (${from}, ${to}] and should go on from ${position.offset}`);
    if (from === 0 && epoch === undefined) wrong("wire", `events of ${channel} begin at 0 and name no epoch`);
    const key = `${identity.tenant}/${channel}`;
    const life = epoch ?? position.epoch;
    const facts = this.#ledger.between(key, position, { offset: to, tag }, life);
    if (!facts)
      return wrong(
        "G3",
        `events of ${channel} to ${to} (${tag}) do not go on from ${JSON.stringify(position)}, or were never stored`,
      );
    const difference = compare(identity.user, events, facts, this.#clock.now);
    if (difference) wrong(difference.rule, difference.text);
    if (events.length < facts.length) this.#tally.count("path", "hidden-events");
    const live = spoken.live.has(channel);
    const behind = this.#clock.now - (facts[0]?.committedAt ?? 0) > SLOW_MS;
    if (live && behind) this.#tally.count("path", "slow-catch-up");
    if (!behind) spoken.live.add(channel);
    if (facts.length > 1) this.#tally.count("path", "batched-events");
    spoken.standing.set(channel, { epoch: life, offset: to, tag });
  }

  #published(identity: Identity, message: Published, request: ClientMessage | undefined, wrong: Wrong): void {
    if (request?.type !== "publish") return wrong("wire", "published answers no publish");
    if (message.duplicate) this.#tally.count("path", "duplicate");
    const fact = this.#ledger.at(`${identity.tenant}/${request.channel}`, message.position);
    if (!fact)
      return wrong(
        "G1",
        `a publish on ${request.channel} was acknowledged at ${JSON.stringify(message.position)}, and is not stored there`,
      );
    const asked = publishNumber(JSON.stringify(request.data) ?? "");
    if (fact.publish !== asked) wrong("G14", `publish ${asked} was told the position of publish ${fact.publish}`);
    if (JSON.stringify(request.data) !== fact.data)
      wrong("G2", `publish ${asked} was acknowledged with another body stored`);
  }

  #page(identity: Identity, message: Page, request: ClientMessage | undefined, wrong: Wrong): void {
    if (request?.type !== "history") return wrong("wire", "a page answers no history request");
    const { channel, epoch, events, next } = message;
    if (!mayOn(identity, channel)) wrong("G10", `${identity.user} was shown the history of ${channel}`);
    const line = this.#ledger.line(`${identity.tenant}/${channel}`);
    const newest = events.at(-1);
    if (!line || line.epoch !== epoch || !newest) return;
    const oldest = next ?? events[0]?.offset ?? 1;
    const facts = line.facts.slice(oldest - 1, newest.offset);
    if (facts.some((fact) => fact.lost)) return;
    const difference = compare(identity.user, events, facts, this.#clock.now);
    if (difference) wrong(difference.rule, `${difference.text} (a page of history)`);
    if (request.before !== undefined && newest.offset >= request.before)
      wrong("wire", `a page before ${request.before} reaches ${newest.offset}`);
    const { atLeast, before } = request;
    if (
      atLeast &&
      !before &&
      atLeast.epoch === epoch &&
      this.#ledger.at(line.facts[0]?.channel ?? "", atLeast)?.lost === false
    ) {
      const missed = line.facts
        .slice(newest.offset, atLeast.offset)
        .find((fact) => sees(identity.user, fact) && !fact.erased);
      if (missed) wrong("G4", `a page of ${channel} ends at ${newest.offset}, asked for at least ${atLeast.offset}`);
    }
  }
}

/** Everyone of a tenant may read every channel, but for those named for others. */
function mayOn(identity: Identity, channel: string): boolean {
  const grants = identity.grants;
  return Object.keys(grants).some(
    (pattern) =>
      (pattern === channel || pattern === "*" || (pattern.endsWith("*") && channel.startsWith(pattern.slice(0, -1)))) &&
      (grants[pattern] ?? []).some((right) => right === "read" || right === "admin"),
  );
}

function decode(codec: Codec, bytes: Uint8Array): unknown[] {
  return codec.decode(codec.name === "json" ? decoder.decode(bytes) : bytes);
}

const decoder = new TextDecoder();

function text(codec: Codec, bytes: Uint8Array): string {
  return codec.name === "json" ? decoder.decode(bytes) : JSON.stringify(decode(codec, bytes));
}
