import type { PostEvents, PostRequest } from "@tandem/client/road";
import type { ServerMessage } from "@tandem/protocol";
import { FRAME_END, HTTP_PATHS, jsonCodec } from "@tandem/protocol";
import type { Carriage, Reply, Transport } from "@tandem/server/core";
import { ResponseTransport } from "@tandem/server/core";
import type { Clock } from "./clock.ts";
import type { Connection, Listener, Wiretap } from "./connection.ts";
import type { Conditions, Parcel } from "./pipe.ts";
import { Pipe } from "./pipe.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

const GONE = 1006;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * A virtual request of the other road and its response, from the moment a load balancer handed it to a node: a connection of its own
 * for the node. What is heard of it is what goes onto the network, when it does.
 */
export class HttpConnection implements Connection {
  readonly number: number;
  readonly client: Process;
  readonly node: Process;
  readonly codec = jsonCodec;
  readonly side: boolean;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly #carriage: Carriage;
  readonly #clock: Clock;
  readonly #end: PostEvents;
  readonly #tap: Wiretap;
  readonly #listener: Listener;
  #endedWith: number | undefined;
  #clientTold = false;
  #nodeTold = false;
  #severed = false;
  #gone = () => {};

  constructor(options: {
    number: number;
    clock: Clock;
    random: Random;
    client: Process;
    listener: Listener;
    request: PostRequest;
    end: PostEvents;
    tap: Wiretap;
    upward: Conditions;
    downward: Conditions;
  }) {
    const { clock, random, client, listener, request } = options;
    this.number = options.number;
    this.client = client;
    this.node = listener.process;
    this.side = request.url.endsWith(HTTP_PATHS.send);
    this.#carriage = carriageOf(request, this.side);
    this.#clock = clock;
    this.#end = options.end;
    this.#tap = options.tap;
    this.#listener = listener;
    this.up = new Pipe(clock, random, this.node, options.upward, (parcel) => this.#reachNode(parcel));
    this.down = new Pipe(clock, random, client, options.downward, (parcel) => this.#reachClient(parcel));
    this.up.send({ kind: "frame", bytes: encoder.encode(request.body) });
  }

  get holds(): boolean {
    return this.#carriage !== "stream";
  }

  get endedWith(): number | undefined {
    return this.#endedWith;
  }

  get whole(): boolean {
    return !this.#severed;
  }

  cut(tellClient: number | undefined, tellNode: number | undefined): void {
    this.#sever();
    if (tellClient !== undefined) this.#clock.after(tellClient, this.client, () => this.#tellClient(0));
    if (tellNode !== undefined) this.#clock.after(tellNode, this.node, () => this.#tellNode());
  }

  clientGone(tellNode: number): void {
    this.#clientTold = true;
    this.cut(undefined, tellNode);
  }

  nodeGone(tellClient: number | undefined): void {
    this.#nodeTold = true;
    this.cut(tellClient, undefined);
    this.#tap.gone(this);
  }

  /** The whole body has come. */
  #reachNode(parcel: Parcel): void {
    if (this.#nodeTold || parcel.kind === "close") return;
    const { runtime } = this.node;
    const inner = new ResponseTransport(this.#reply(), this.#carriage, {
      side: this.side,
      address: this.client.name,
      runtime,
    });
    this.#tap.accepted(this);
    const events = this.#listener.accept(this.#heard(inner));
    const frames = decoder.decode(parcel.bytes).split(FRAME_END);
    inner.carry(
      {
        frame: (frame) => {
          this.#tap.arriving(this, typeof frame === "string" ? encoder.encode(frame) : frame, frame);
          events.frame(frame);
        },
        beforeEnd: () => events.beforeEnd(),
        end: () => events.end(),
        closed: (code, reason) => {
          this.#over(code);
          events.closed(code, reason);
        },
      },
      frames,
    );
  }

  /** The transport as the node has it: that the node lets go of it is heard. */
  #heard(inner: ResponseTransport): Transport {
    const { codec, address, oneWay, side } = inner;
    return {
      codec,
      address,
      oneWay,
      side,
      send: (frame) => inner.send(frame),
      flush: (delivered) => inner.flush(delivered),
      purge: () => inner.purge(),
      buffered: () => inner.buffered(),
      close: (code, reason) => {
        inner.close(code, reason);
        this.#tap.leaving(this);
      },
      destroy: () => {
        this.#tap.leaving(this);
        inner.destroy();
      },
    };
  }

  #over(code: number): void {
    if (this.#endedWith !== undefined) return;
    this.#endedWith = code;
    this.#tap.gone(this);
  }

  #reply(): Reply {
    const { down } = this;
    const isDead = () => this.#nodeTold || !this.node.alive;
    return {
      get buffered() {
        return down.buffered;
      },
      begin() {},
      write: (bytes) => {
        if (isDead()) return;
        for (const event of decoder.decode(bytes).split("\n\n"))
          if (event.startsWith("data: ")) this.#sending(event.slice(6));
        down.send({ kind: "frame", bytes });
      },
      end: (body) => {
        if (isDead()) return;
        if (body) {
          this.#sending(decoder.decode(body));
          down.send({ kind: "frame", bytes: body });
        }
        down.send({ kind: "close", code: 200, reason: "" });
      },
      cut: () => {
        if (!isDead()) this.cut(5, 0);
      },
      onGone: (listener) => {
        this.#gone = listener;
      },
    };
  }

  /** What is handed over, without the word about the end: that is the road's own. */
  #sending(text: string): void {
    const messages = (JSON.parse(text) as ServerMessage[]).filter(({ type }) => (type as string) !== "close");
    // What was held together was not flushed together: its order tells nothing.
    const flushes = this.holds ? messages.map((message) => [message]) : [messages];
    for (const flush of flushes) {
      if (flush.length > 0) this.#tap.sending(this, encoder.encode(JSON.stringify(flush)), flush);
      this.#tap.flushed(this);
    }
  }

  #reachClient(parcel: Parcel): void {
    if (parcel.kind === "close") {
      this.#clock.after(1, this.node, () => this.#tellNode());
      return this.#tellClient(parcel.code);
    }
    if (this.#clientTold) return;
    this.#tap.received(this, parcel.bytes);
    this.#end.text(decoder.decode(parcel.bytes));
  }

  #tellClient(status: number): void {
    if (this.#clientTold) return;
    this.#clientTold = true;
    this.#severed = true;
    this.#end.ended(status, 0);
  }

  #tellNode(): void {
    if (this.#nodeTold) return;
    this.#nodeTold = true;
    this.#gone();
    this.#over(GONE);
  }

  #sever(): void {
    this.#severed = true;
    this.up.cut();
    this.down.cut();
  }
}

function carriageOf({ accept, now }: PostRequest, isSend: boolean): Carriage {
  if (isSend || now) return "answer";
  return accept === "text/event-stream" ? "stream" : "poll";
}
