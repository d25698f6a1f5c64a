import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import type { Identity } from "@tandem/server/core";
import type { Clock } from "../clock.ts";
import type { Connection } from "../connection.ts";
import { digest } from "../digest.ts";
import type { History } from "../history.ts";
import type { Revocations } from "../revocations.ts";
import type { Tally } from "../tally.ts";
import type { Tokens } from "../tokens.ts";
import { Bookmarks } from "./bookmarks.ts";
import type { Numbered } from "./hall.ts";
import { has } from "./rights.ts";
import type { Place, Statement } from "./roll.ts";
import { Roll } from "./roll.ts";
import { Watching } from "./watching.ts";

/** What is held against what is said of presence. */
export interface RegisterPorts {
  readonly clock: Clock;
  readonly history: History;
  readonly tokens: Tokens;
  readonly revocations: Revocations;
  readonly tally: Tally;
}

/** A request that changes a place. */
interface Asked {
  readonly type: "enter" | "leave";
  readonly seq: number;
  readonly place: Place | undefined;
  readonly statement: Statement | undefined;
  /** It may have taken effect, or not: until it is answered. An answer may wait, where a node may hand over nothing. */
  readonly unsure: { until: number } | undefined;
}

/** One connection, as far as it is about presence. */
interface Talk {
  identity: Identity | undefined;
  device: string | undefined;
  /** Which of the device's connections. */
  nth: number;
  /** Tokens that wait for their welcome, by request. */
  readonly tokens: Map<number, string>;
  readonly asked: Map<number, Asked>;
  readonly entered: Set<Place>;
  readonly watching: Map<string, Watching>;
  /** Bookmarks that it came with, by the id of the watch. */
  readonly after: Map<number, string>;
}

/** What was asked and never answered has no effect any more after this, in milliseconds: a loss that it has been has become a leave. */
const UNANSWERED_MS = 12_000;

const DEVICE_LETTERS = 12;

/** Hears what is said of presence and signals on every connection: keeps the roll, and holds what watchers are told against it. */
export class Register {
  readonly roll = new Roll();
  /** Everybody has come to rest: who is there does not change any more. */
  isSettled = false;
  readonly #ports: RegisterPorts;
  readonly #bookmarks: Bookmarks;
  readonly #talks = new Map<Connection, Talk>();

  constructor(ports: RegisterPorts) {
    this.#ports = ports;
    this.#bookmarks = new Bookmarks(ports.tally);
  }

  #of(connection: Connection): Talk {
    let talk = this.#talks.get(connection);
    if (!talk) {
      talk = {
        identity: undefined,
        device: undefined,
        nth: 0,
        tokens: new Map(),
        asked: new Map(),
        entered: new Set(),
        watching: new Map(),
        after: new Map(),
      };
      this.#talks.set(connection, talk);
    }
    return talk;
  }

  /** A client's message has reached its node. */
  asked(connection: Connection, message: ClientMessage): void {
    const { now } = this.#ports.clock;
    switch (message.type) {
      case "hello":
      case "refresh": {
        const talk = this.#of(connection);
        if (message.token === undefined || talk.tokens.has(message.id)) return;
        talk.tokens.set(message.id, message.token);
        if (message.type === "refresh" || !message.instance || talk.device !== undefined) return;
        const identity = this.#ports.tokens.identity(message.token);
        if (!identity) return;
        const { secret, connection: nth } = message.instance;
        talk.identity = identity;
        talk.device = digest(`${identity.tenant}/${identity.user}/${secret}`).slice(0, DEVICE_LETTERS);
        talk.nth = nth;
        return;
      }
      case "watch":
        if (message.after !== undefined) this.#of(connection).after.set(message.id, message.after);
        return;
      case "enter": {
        const { identity, device, asked } = this.#of(connection);
        if (!identity || device === undefined || !has(identity, message.channel, "presence")) return;
        const { id, seq, channel, activity } = message;
        const key = `${identity.tenant}/${channel}`;
        // From beside, what is there is changed and nothing else.
        const place = connection.side ? this.roll.place(key, device) : this.roll.open(key, device, identity.user);
        if (!place || (connection.side && !place.hasEntered)) return;
        const n = (message.state as Partial<Numbered> | undefined)?.n;
        const statement = { seq, n, activity, at: now, accepted: undefined };
        place.said.push(statement);
        place.enters.push(now);
        asked.set(id, { type: "enter", seq, place, statement, unsure: this.#unsure(place) });
        return;
      }
      case "leave": {
        const { identity, device, asked } = this.#of(connection);
        const place = this.#placeToLeave(identity, device, message.channel);
        place?.leaves.push(now);
        const unsure = this.#unsure(place);
        asked.set(message.id, { type: "leave", seq: message.seq, place, statement: undefined, unsure });
        return;
      }
      case "signal": {
        const { identity, device } = this.#of(connection);
        if (!identity || device === undefined || !has(identity, message.channel, "signal")) return;
        const place = this.roll.place(`${identity.tenant}/${message.channel}`, device);
        for (const [key, data] of Object.entries(message.signals)) {
          const n = (data as Partial<Numbered> | null)?.n;
          if (!place || n === undefined) continue;
          const sent = place.signals.get(key) ?? new Map<number, number>();
          place.signals.set(key, sent.set(n, message.seq));
        }
        return;
      }
      default:
        return;
    }
  }

  /** A goodbye counts also where it comes before the word that one has entered. */
  #placeToLeave(identity: Identity | undefined, device: string | undefined, channel: string): Place | undefined {
    if (!identity || device === undefined) return undefined;
    const key = `${identity.tenant}/${channel}`;
    return has(identity, channel, "presence")
      ? this.roll.open(key, device, identity.user)
      : this.roll.place(key, device);
  }

  #unsure(place: Place | undefined): { until: number } | undefined {
    if (!place) return undefined;
    const unsure = { from: this.#ports.clock.now, until: Number.POSITIVE_INFINITY };
    place.unsure.push(unsure);
    return unsure;
  }

  /** A node hands a message to its socket. */
  told(connection: Connection, message: ServerMessage): void {
    switch (message.type) {
      case "welcome": {
        const talk = this.#of(connection);
        const token = talk.tokens.get(message.id);
        talk.tokens.delete(message.id);
        talk.identity = token === undefined ? undefined : this.#ports.tokens.identity(token);
        const { identity, device } = talk;
        if (message.device !== device)
          this.#wrong(connection, "R5", `is named ${message.device} by its node, and is ${device}`);
        if (identity && device !== undefined) this.roll.know(device, identity.tenant, identity.user, connection.client);
        return;
      }
      case "entered":
      case "left":
        return this.#answered(connection, message.id);
      case "error":
        if (message.id !== undefined) {
          const { asked } = this.#of(connection);
          const unsure = asked.get(message.id)?.unsure;
          if (unsure) unsure.until = this.#ports.clock.now;
          asked.delete(message.id);
          this.#of(connection).tokens.delete(message.id);
        } else if (message.code === "needs-auth") this.#end(connection, "lost");
        return;
      case "watching":
      case "members":
      case "signals":
      case "bookmark":
      case "roster-page":
        return this.#shown(connection, message);
      case "unwatched":
        this.#of(connection).watching.delete(message.channel);
        return;
      case "unsignalled":
        this.#ports.tally.count("path", `unsignalled.${message.code}`);
        return;
      default:
        return;
    }
  }

  /** A node lets a connection go, or learns that it is gone. */
  ended(connection: Connection): void {
    this.#end(connection, connection.endedWith === 1000 ? "left" : "lost");
    this.#talks.delete(connection);
    this.#bookmarks.ended(connection);
  }

  #answered(connection: Connection, id: number): void {
    const talk = this.#of(connection);
    const asked = talk.asked.get(id);
    talk.asked.delete(id);
    if (!asked?.place) return;
    const { type, place, statement } = asked;
    const { now } = this.#ports.clock;
    if (statement) statement.accepted = { at: now, node: connection.node };
    if (asked.unsure) asked.unsure.until = now;
    if (type === "enter" && connection.side) return this.#ports.tally.count("path", "presence.said-beside");
    const before = place.now;
    const isBack = type === "enter" && before?.phase === "lost" && before.connection === talk.nth;
    const turn = isBack ? Math.max(asked.seq, before.turn + 1) : asked.seq;
    const phase = type === "enter" ? "here" : "left";
    const counts = place.take({ at: now, phase, node: connection.node, connection: talk.nth, turn });
    if (type === "enter") talk.entered.add(place);
    else if (counts) talk.entered.delete(place);
    if (!counts) this.#ports.tally.count("path", `presence.old-${type}`);
    else if (type === "enter") this.#countReturn(before, connection, now);
    else if (before?.phase === "here") this.#ports.tally.count("path", "presence.goodbye");
  }

  #countReturn(before: Place["now"], { node }: Connection, now: number): void {
    if (!before || before.phase === "left") return;
    const { tally } = this.#ports;
    const elsewhere = before.node !== node;
    if (before.phase === "here" && before.node.alive) {
      if (elsewhere) tally.count("path", "presence.taken-over");
    } else if (now - (before.phase === "lost" ? before.at : before.node.endedAt) < 10_000)
      tally.count("path", elsewhere ? "presence.back-elsewhere" : "presence.back-in-grace");
  }

  #end(connection: Connection, phase: "lost" | "left"): void {
    const talk = this.#talks.get(connection);
    if (!talk) return;
    talk.watching.clear();
    const { now } = this.#ports.clock;
    // What was asked in the last moment may have taken effect, and ended with the connection; or not.
    for (const { unsure } of talk.asked.values()) if (unsure) unsure.until = now + UNANSWERED_MS;
    talk.asked.clear();
    for (const place of talk.entered) {
      const counts = place.take({ at: now, phase, node: connection.node, connection: talk.nth, turn: undefined });
      this.#ports.tally.count("path", counts ? `presence.${phase}` : "presence.old-connection-ends");
    }
    talk.entered.clear();
  }

  #shown(
    connection: Connection,
    message: Extract<ServerMessage, { type: "watching" | "members" | "signals" | "bookmark" | "roster-page" }>,
  ): void {
    const talk = this.#of(connection);
    const { identity } = talk;
    const { channel } = message;
    const wrong = (rule: string, text: string) => this.#wrong(connection, rule, `${channel}: ${text}`);
    if (!identity) return wrong("G10", `${message.type} before the client said who it is`);
    if (!has(identity, channel, "read")) wrong("G10", `${identity.user} was shown who is there`);
    this.#checkTime(connection, identity, message, wrong);
    const key = `${identity.tenant}/${channel}`;
    const places = { roll: this.roll, key, channel, wrong };
    if (message.type === "watching") {
      const after = talk.after.get(message.id);
      talk.watching.set(channel, new Watching(places, after === undefined));
      this.#bookmarks.begin(connection, key, after);
      return;
    }
    const watching = talk.watching.get(channel);
    if (message.type === "roster-page") return new Watching(places).members(message.members);
    if (!watching) return wrong("wire", `${message.type} without a watch`);
    if (message.type === "bookmark") return this.#bookmarks.told(connection, key, message.bookmark, wrong);
    if (message.type === "signals") return watching.signals(message, this.isSettled);
    this.#bookmarks.members(connection, key, message, wrong);
    if (message.full && watching.isTold) this.#ports.tally.count("path", "presence.all-anew");
    watching.told(message);
  }

  #checkTime(
    connection: Connection,
    identity: Identity,
    { type, channel }: { readonly type: string; readonly channel: string },
    wrong: (rule: string, text: string) => void,
  ): void {
    const { node } = connection;
    // That it watches is an answer; who is there is delivered.
    const kind = type === "watching" ? type : "events";
    const now = node.runtime.now();
    if (identity.expires !== undefined && now >= identity.expires && !this.#isFresh(connection, now))
      wrong("G10", `was told ${now - identity.expires} ms after the token expired`);
    const late = this.#ports.revocations.overdue(identity, this.#ports.clock.now, node, kind, channel);
    if (late !== undefined) wrong("G10", `was told ${Math.round(late)} ms after ${identity.user} was revoked`);
  }

  /** Its node has a fresh token already, and the welcome waits behind what was queued before. */
  #isFresh(connection: Connection, now: number): boolean {
    const identities = [...this.#of(connection).tokens.values()].map((token) => this.#ports.tokens.identity(token));
    return identities.some((one) => one !== undefined && (one.expires === undefined || one.expires > now));
  }

  #wrong({ node, client }: Connection, rule: string, text: string): void {
    this.#ports.history.violate(rule, this.#ports.clock.now, `${node.name} → ${client.name}: ${text}`);
  }
}
