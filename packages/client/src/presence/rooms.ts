import type { Activity, ServerMessage } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Carried } from "../connection/carried.ts";
import { count, list, maybe, object, positive, text } from "../connection/inbound.ts";
import type { Check, Link } from "../connection/link.ts";
import { ownRefusal, refusal } from "../connection/refusal.ts";
import type { Rider } from "../rider.ts";
import type { ActivitySource } from "./activity.ts";
import type { Use } from "./room.ts";
import { Room } from "./room.ts";

/** Most pages that are waited for at a time. */
const PAGES = 256;

const member = object({ device: text, user: text, name: maybe(text), status: text, since: count });

const CHECKS: ReadonlyMap<string, Check> = new Map([
  ["watching", object({ id: positive, channel: text })],
  ["unwatched", object({ id: maybe(positive), channel: text })],
  ["entered", object({ id: positive, channel: text })],
  ["left", object({ id: positive, channel: text })],
  ["members", object({ channel: text, members: list(member), gone: maybe(list(text)), count, signalMs: positive })],
  [
    "signals",
    object({ channel: text, signals: (keys) => object({})(keys) && Object.values(keys as object).every(object({})) }),
  ],
  ["unsignalled", object({ channel: text, code: text, message: text, retryAfter: maybe(count) })],
  ["roster-page", object({ id: positive, members: list(member), next: maybe(text) })],
]);

/** The channels whose presence and signals this client uses, carried over from connection to connection. */
export class Rooms implements Rider {
  readonly checks = CHECKS;
  readonly #runtime: Runtime;
  readonly #rooms = new Map<string, Room>();
  readonly #waiting = new Set<(error: TandemError) => void>();
  #link: Link | undefined;
  readonly #carried = new Carried<Room>();
  #activity: ActivitySource | undefined;
  #stopListening: (() => void) | undefined;
  #seq = 0;
  #closed = false;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Uses a channel's room until `leave`. The source of activity that is named first tells for all. */
  use(channel: string, use: Use, activity: ActivitySource): Room {
    this.#activity ??= activity;
    this.#stopListening ??= this.#activity.listen(() => {
      for (const room of this.#rooms.values()) room.say();
    });
    let room = this.#rooms.get(channel);
    if (!room) {
      room = this.#open(channel);
      this.#rooms.set(channel, room);
      if (this.#link) room.attach(this.#link);
    }
    room.add(use);
    if (this.#closed) room.fail(new TandemError("closed", "The client was closed."));
    return room;
  }

  #open(channel: string): Room {
    return new Room(channel, {
      runtime: this.#runtime,
      nextSeq: () => ++this.#seq,
      activity: () => this.#now(),
      report: this.report,
      slowed: (ms) => {
        for (const room of this.#rooms.values()) room.board.again(ms);
      },
      emptied: (room) => {
        if (this.#rooms.get(channel) === room) this.#rooms.delete(channel);
        if (this.#rooms.size > 0) return;
        this.#stopListening?.();
        this.#stopListening = undefined;
        this.#activity = undefined;
      },
    });
  }

  #now(): Activity {
    try {
      return this.#activity?.now() ?? "active";
    } catch (error) {
      this.report(error);
      return "active";
    }
  }

  /** What a listener of the application throws is its own affair. */
  readonly report = (error: unknown): void => {
    this.#runtime.logger.error({ error }, "a listener of presence or signals threw");
  };

  /** A page of who is there. @throws TandemError (by rejection) also when the connection is away */
  page(channel: string, after: string | undefined, limit: number) {
    return new Promise<Extract<ServerMessage, { type: "roster-page" }>>((resolve, reject) => {
      const link = this.#link;
      if (!link) return reject(ownRefusal(this.#closed ? "closed" : "disconnected"));
      if (this.#waiting.size >= PAGES) return reject(ownRefusal("too-many-requests"));
      this.#waiting.add(reject);
      link.ask({ type: "roster", channel, after, limit }, (answer) => {
        this.#waiting.delete(reject);
        if (answer.type === "roster-page") resolve(answer);
        else if (answer.type === "error") reject(refusal(answer));
      });
    });
  }

  attach(link: Link): void {
    for (const [, room] of this.#carried.attach(link, this.#rooms)) room.part(link);
    this.#link = link;
    for (const room of this.#rooms.values()) room.attach(link);
  }

  detach(): void {
    this.#link = undefined;
    this.#carried.detach(this.#rooms);
    for (const room of this.#rooms.values()) room.detach();
    for (const reject of this.#waiting) reject(new TandemError("disconnected", "The connection was lost."));
    this.#waiting.clear();
  }

  fill(): void {
    for (const room of this.#rooms.values()) room.fill();
  }

  message(message: ServerMessage): void {
    if ("channel" in message && message.channel !== undefined) this.#rooms.get(message.channel)?.message(message);
  }

  frameEnd(): void {
    for (const room of this.#rooms.values()) room.frameEnd();
  }

  close(): void {
    this.#closed = true;
    for (const room of [...this.#rooms.values()]) room.fail(new TandemError("closed", "The client was closed."));
  }
}
