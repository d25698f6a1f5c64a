import type { ClientMessage, Filter, Position, ServerMessage, Subscribe } from "@tandem/protocol";
import { jsonCodec, samePosition } from "@tandem/protocol";
import { silentLogger } from "@tandem/runtime";
import type { Dialled } from "./network.ts";
import { Process } from "./process.ts";
import type { Random } from "./random.ts";
import { drawFilter, drawLane } from "./tastes.ts";
import type { Person } from "./tokens.ts";
import type { World } from "./world.ts";

/** Milliseconds after which a connection that was lost is asked for again. */
const AGAIN_MS = 1_500;

/** A connection that brings nothing for so long, in milliseconds, is given up. */
const SILENCE_MS = 60_000;

/** What it reads of one channel. */
interface Place {
  readonly filter: Filter | undefined;
  /** After what it was told last. */
  position: Position | undefined;
  /** The request that it waits for; what comes before its answer belongs to the subscription before. */
  asked: number | undefined;
}

/**
 * Reads by hand: several channels on one connection, each in a lane of its choosing, acknowledges late, and changes its mind
 * within one frame. What it is given is judged on the wire; what it knows itself is where it stands.
 */
export class RawReader {
  readonly name: string;
  readonly person: Person;
  readonly #world: World;
  readonly #random: Random;
  readonly #process: Process;
  readonly #places = new Map<string, Place>();
  /** Mean milliseconds before it acknowledges a frame. */
  readonly #lag: number;
  #socket: Dialled | undefined;
  #welcomed = false;
  #requests = 0;
  #frames = 0;
  /** Frames that were acknowledged. */
  #told = 0;
  #heardAt = 0;

  constructor(name: string, person: Person, channels: readonly string[], world: World) {
    this.name = name;
    this.#world = world;
    this.person = person;
    this.#random = world.random.fork();
    this.#process = new Process(name, world.clock, world.random.fork(), silentLogger);
    this.#lag = this.#random.pick([1, 40, 800]);
    for (const channel of channels) this.#places.set(channel, this.#place(undefined));
  }

  #place(position: Position | undefined): Place {
    return { filter: drawFilter(this.#random), position, asked: undefined };
  }

  start(): void {
    this.#connect();
    this.#watch();
  }

  /** Leaves a channel and reads on from where it stands, in another lane and with another filter, all in one frame. */
  change(channel: string): void {
    const place = this.#places.get(channel);
    if (!place || place.asked !== undefined || !this.#welcomed) return;
    this.#world.tally.count("path", "changed-in-one-frame");
    this.#places.set(channel, this.#place(place.position));
    this.#say({ type: "unsubscribe", id: ++this.#requests, channel }, this.#subscribe(channel));
  }

  /** Where it is not at the head, as far as it was told; `undefined`: it is everywhere. */
  behind(): string | undefined {
    for (const [channel, { position }] of this.#places) {
      const head = this.#world.ledger.head(`${this.person.tenant}/${channel}`);
      if (!position || !samePosition(position, head))
        return `${this.name} stands at ${JSON.stringify(position)} of ${channel}, the head is ${JSON.stringify(head)}`;
    }
    return undefined;
  }

  #connect(): void {
    const { network, tokens } = this.#world;
    this.#frames = 0;
    this.#told = 0;
    this.#heardAt = this.#world.clock.now;
    const hello = { type: "hello" as const, id: ++this.#requests, token: tokens.mint(this.person, 30_000) };
    const socket: Dialled = network.dial(this.#process, jsonCodec, {
      opened: () => this.#say(hello),
      frame: (bytes) => {
        if (this.#socket !== socket) return;
        this.#heardAt = this.#world.clock.now;
        for (const message of JSON.parse(new TextDecoder().decode(bytes)) as ServerMessage[]) this.#take(message);
        this.#acknowledge(socket, ++this.#frames);
      },
      closed: () => this.#lost(socket),
    });
    this.#socket = socket;
  }

  #lost(socket: Dialled): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    this.#welcomed = false;
    for (const place of this.#places.values()) place.asked = undefined;
    this.#world.clock.after(this.#random.around(AGAIN_MS), this.#process, () => this.#connect());
  }

  /** Gives up a connection that nothing comes from. */
  #watch(): void {
    const { clock } = this.#world;
    clock.after(SILENCE_MS / 4, this.#process, () => {
      if (clock.now - this.#heardAt > SILENCE_MS) this.#leave();
      this.#watch();
    });
  }

  #leave(): void {
    const socket = this.#socket;
    socket?.close(1000, "");
    if (socket) this.#lost(socket);
  }

  #acknowledge(socket: Dialled, frames: number): void {
    this.#world.clock.after(this.#random.around(this.#lag), this.#process, () => {
      if (this.#socket !== socket || frames <= this.#told) return;
      this.#told = frames;
      this.#say({ type: "received", frames });
    });
  }

  #subscribe(channel: string): Subscribe {
    const place = this.#places.get(channel) as Place;
    const id = ++this.#requests;
    place.asked = id;
    const lane = drawLane(this.#random);
    return {
      type: "subscribe",
      id,
      channel,
      ...(place.position ? { from: place.position } : { from: { last: this.#random.whole(0, 30) } }),
      ...(lane ? { lane } : {}),
      ...(place.filter ? { filter: place.filter } : {}),
    };
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        this.#welcomed = true;
        return this.#say(...[...this.#places.keys()].map((channel) => this.#subscribe(channel)));
      case "ping":
        return this.#say({ type: "pong" });
      case "error":
        return this.#refused(message);
      case "unsubscribed":
        return this.#expelled(message.channel, message.id);
      case "subscribed":
      case "reset":
      case "events":
        return this.#stand(message);
      default:
        return;
    }
  }

  #stand(message: Extract<ServerMessage, { type: "subscribed" | "reset" | "events" }>): void {
    const place = this.#places.get(message.channel);
    if (!place) return;
    if (message.type === "subscribed" && message.id === place.asked) place.asked = undefined;
    if (place.asked !== undefined) return;
    if (message.type !== "events") place.position = message.position;
    else {
      const { epoch = place.position?.epoch ?? "", to, tag } = message;
      place.position = { epoch, offset: to, tag };
    }
  }

  /** The server has ended a subscription by itself. */
  #expelled(channel: string, id: number | undefined): void {
    this.#world.tally.count("path", "ended-by-server", id === undefined ? 1 : 0);
    const place = this.#places.get(channel);
    if (id === undefined && place && place.asked === undefined) this.#askAgain(channel, 500);
  }

  /** A token that has ended: it comes anew. A subscription that cannot be had now: it is asked for again. */
  #refused({ code, id, retryAfter = 500 }: Extract<ServerMessage, { type: "error" }>): void {
    if (code === "needs-auth" || code === "already-subscribed") return this.#leave();
    for (const [channel, place] of this.#places) {
      if (id !== undefined && place.asked === id) this.#askAgain(channel, retryAfter);
    }
  }

  #askAgain(channel: string, ms: number): void {
    const socket = this.#socket;
    const place = this.#places.get(channel);
    this.#world.clock.after(ms, this.#process, () => {
      if (this.#socket !== socket || !this.#welcomed || this.#places.get(channel) !== place) return;
      this.#say(this.#subscribe(channel));
    });
  }

  #say(...messages: ClientMessage[]): void {
    this.#socket?.send(new TextEncoder().encode(JSON.stringify(messages)));
  }
}
