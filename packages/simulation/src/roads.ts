import type { Connect, TransportName, Wake } from "@tandem/client";
import type { PostEvents, PostRequest, RoadMemory } from "@tandem/client/road";
import { chooseRoad, OtherRoad } from "@tandem/client/road";
import type { FrameCodec } from "@tandem/protocol";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** What may carry a visitor's connection. Behind a `proxy`, what streams comes when it is over. */
const TASTES = {
  websocket: ["websocket"],
  sse: ["sse"],
  poll: ["poll"],
  both: ["websocket", "sse"],
  proxy: ["websocket", "sse", "poll"],
} as const satisfies Record<string, readonly TransportName[]>;

const WEIGHTS = { websocket: 70, sse: 8, poll: 8, both: 7, proxy: 7 } as const;

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
  readonly #taste: keyof typeof TASTES;
  #remembered: string | null = null;
  /** Responses of which a proxy holds something back. */
  readonly #held = new Set<PostEvents>();
  #blockedUntil = 0;
  #openUntil = 0;
  #last: string | undefined;

  /** @param random of roads alone: visitors that take the usual one are as they were */
  constructor(world: World, random: Random) {
    this.#world = world;
    this.#random = random;
    this.#taste = random.weighted(WEIGHTS);
  }

  connect(traveller: Traveller): Connect {
    const { process, codec, wake, webSocket } = traveller;
    this.#held.clear();
    if (this.#taste === "websocket") return webSocket;
    const memory: RoadMemory = {
      get: () => this.#remembered,
      set: (value) => {
        this.#remembered = value;
      },
    };
    return chooseRoad(TASTES[this.#taste], {
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
    if (this.#taste !== "proxy" || request.accept !== "text/event-stream")
      return network.post(process, request, events);
    const giveUp = network.post(process, request, this.#heldBack(events));
    return () => {
      this.#held.delete(events);
      giveUp();
    };
  }

  /** A response as a proxy hands it on that holds back what streams. */
  #heldBack(events: PostEvents): PostEvents {
    let text = "";
    return {
      text: (piece) => {
        this.#held.add(events);
        text += piece;
      },
      ended: (status, retryAfter) => {
        this.#held.delete(events);
        if (text !== "") events.text(text);
        events.ended(status, retryAfter);
      },
    };
  }

  get heldBack(): boolean {
    return this.#held.size > 0;
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
