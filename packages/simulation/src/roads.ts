import type { Connect, TransportName, Wake } from "@tandem/client";
import type { PostEvents, PostRequest, RoadMemory } from "@tandem/client/road";
import { chooseRoad, OtherRoad } from "@tandem/client/road";
import type { FrameCodec } from "@tandem/protocol";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/**
 * What may carry a visitor's connection. Long polls are not among them: one that watches a room has news at once, ends, and asks
 * again, so that with a bound on bandwidth its events come too late.
 */
const TASTES = {
  websocket: ["websocket"],
  sse: ["sse"],
  both: ["websocket", "sse"],
} as const satisfies Record<string, readonly TransportName[]>;

const WEIGHTS = { websocket: 76, sse: 12, both: 12 } as const;

/** Milliseconds for which WebSockets are blocked, or come through, where a visitor has the choice; on average. */
const SPELL_MS = 8_000;

/** What a client needs of its process to choose its road. */
export interface Traveller {
  readonly process: Process;
  readonly codec: FrameCodec;
  readonly wake: Wake;
  readonly webSocket: Connect;
}

/** The roads that one visitor has to the servers, over all of its lives: a WebSocket, that may be blocked, and requests. */
export class Roads {
  readonly #world: World;
  readonly #random: Random;
  readonly #transports: readonly TransportName[];
  #remembered: string | null = null;
  #blockedUntil = 0;
  #openUntil = 0;
  #last: string | undefined;

  /** @param random of roads alone: visitors that take the usual one are as they were */
  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#transports = TASTES[random.weighted(WEIGHTS)];
  }

  connect(traveller: Traveller): Connect {
    const { process, codec, wake, webSocket } = traveller;
    if (this.#transports.length === 1 && this.#transports[0] === "websocket") return webSocket;
    const memory: RoadMemory = {
      get: () => this.#remembered,
      set: (value) => {
        this.#remembered = value;
      },
    };
    return chooseRoad(this.#transports, {
      runtime: process.runtime,
      codec,
      wake,
      memory,
      webSocket: (url, subprotocol, events) =>
        this.#isBlocked ? this.#swallow(process, events) : webSocket(url, subprotocol, events),
      load: () => Promise.resolve(OtherRoad),
      post: (request, events) => this.#post(process, request, events),
    });
  }

  #post(process: Process, request: PostRequest, events: PostEvents): () => void {
    const { tally, network } = this.#world;
    tally.count("path", `http.${wayOf(request)}`);
    return network.post(process, request, events);
  }

  /** The road that a visitor's connection is found on. */
  note(transport: string | undefined): void {
    const before = this.#last;
    this.#last = transport ?? "websocket";
    if (before !== undefined && before !== this.#last)
      this.#world.tally.count("path", `road.${before}-to-${this.#last}`);
  }

  get #isBlocked(): boolean {
    const { now } = this.#world.clock;
    if (now >= this.#openUntil && now >= this.#blockedUntil) {
      if (this.#random.chance(0.5)) this.#blockedUntil = now + this.#random.around(SPELL_MS);
      else this.#openUntil = now + this.#random.around(SPELL_MS);
    }
    return now < this.#blockedUntil;
  }

  /** A WebSocket that fails, or that nobody ever answers. */
  #swallow(process: Process, events: Parameters<Connect>[2]): ReturnType<Connect> {
    const { clock, tally } = this.#world;
    tally.count("fault", "websocket-blocked");
    let isOver = false;
    const end = (code: number, reason: string) => {
      if (!isOver) events.closed(code, reason);
      isOver = true;
    };
    if (this.#random.chance(0.7)) clock.after(this.#random.around(50), process, () => end(1006, ""));
    return { send() {}, close: (code, reason) => void clock.after(0, process, () => end(code, reason)) };
  }
}

function wayOf({ url, accept, now }: PostRequest): string {
  if (url.endsWith("/send")) return "side";
  if (now) return "answer";
  return accept === "text/event-stream" ? "stream" : "poll";
}
