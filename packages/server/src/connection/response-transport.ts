import type { Close } from "@tandem/protocol";
import { HEARTBEAT_MS, jsonCodec, RESPONSE_MS } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import type { Frame } from "../delivery/frame.ts";
import type { Reply } from "./reply.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** A poll that has news ends so many milliseconds later: what comes with the first of it goes along. */
const LINGER_MS = 25;
/** A poll that holds this many bytes ends at once. */
const FULL_BYTES = 65_536;
/** A client that takes nothing of a finished response for this long, in milliseconds, is cut. */
const STUCK_MS = 30_000;
/** Responses end over a fifth of their time, by chance: who came together does not come again together. */
const SPREAD = 0.2;

const NORMAL = 1000;
/** That a response is over is no goodbye: the client comes again. */
const GONE = 1006;

/**
 * How a response carries frames: `stream`, as server-sent events, each when it is sent; `poll`, in one piece as soon as there is
 * news; `answer`, in one piece when everything is answered.
 */
export type Carriage = "stream" | "poll" | "answer";

/**
 * One request and its response behind the `Transport` port. The response ends in a while whatever happens: then the client asks again,
 * with its positions, at any node.
 */
export class ResponseTransport implements Transport {
  readonly codec = jsonCodec;
  readonly address: string;
  readonly oneWay = true;
  readonly side: boolean;
  readonly #carriage: Carriage;
  readonly #reply: Reply;
  readonly #runtime: Runtime;
  readonly #timers = new Map<"end" | "heartbeat" | "linger" | "stuck", Timer>();
  #events: TransportEvents | undefined;
  /** Taken, and not written yet. */
  #taken: Uint8Array[] = [];
  #bytes = 0;
  #answered = () => {};
  #begun = false;
  /** The last word is being said. */
  #finishing = false;
  #over = false;

  constructor(
    reply: Reply,
    carriage: Carriage,
    { side, address, runtime }: { readonly side: boolean; readonly address: string; readonly runtime: Runtime },
  ) {
    this.#reply = reply;
    this.#carriage = carriage;
    this.#runtime = runtime;
    this.address = address;
    this.side = side;
  }

  /** Carries the connection of a client that sent these frames. */
  carry(events: TransportEvents, [first = "[]", ...more]: readonly string[]): void {
    this.#events = events;
    this.#reply.onGone(() => {
      this.#over = true;
      this.#stop();
      this.#gone();
    });
    // Turned away before it said anything: what there is to say has been said.
    if (this.#over) return;
    this.#after("end", RESPONSE_MS * (1 - SPREAD * this.#runtime.random()), () => this.#finish());
    if (this.#carriage === "stream") {
      this.#begin();
      this.#beat();
    }
    const go = () => {
      try {
        for (const frame of more) events.frame(frame);
        if (this.#carriage === "answer") events.end();
      } catch (error) {
        // Nobody else would catch it by now. Whatever a client sends, the others go on.
        this.failed(error);
      }
    };
    // The frames after the first wait until `hello` is answered: before that, a client has nothing else to say.
    if (more.length > 0) this.#answered = () => this.#runtime.defer(go);
    events.frame(first);
    if (more.length === 0) go();
  }

  send(frame: Frame): void {
    if (this.#over) return;
    const bytes = this.#carriage === "stream" ? frame.as("event-stream", eventOf) : frame.payload.subarray(1, -1);
    this.#taken.push(bytes);
    this.#bytes += bytes.byteLength;
  }

  flush(delivered: boolean): void {
    if (this.#over) return;
    if (this.#carriage === "stream") this.#write();
    else if (this.#finishing) return;
    else if (this.#carriage === "poll" && this.#bytes > FULL_BYTES) this.#finish();
    else if (this.#carriage === "poll" && delivered && !this.#timers.has("linger")) {
      this.#after("linger", LINGER_MS, () => this.#finish());
    }
    this.#answered();
    this.#answered = () => {};
  }

  purge(): void {
    this.#taken = [];
  }

  buffered(): number {
    return this.#reply.buffered;
  }

  close(code: number, reason: string): void {
    if (this.#over) return;
    if (code !== NORMAL) {
      const close: Close = { type: "close", code, reason };
      const bytes = Buffer.from(JSON.stringify([close]));
      this.#taken.push(this.#carriage === "stream" ? eventOf(bytes) : bytes.subarray(1, -1));
    }
    this.#over = true;
    this.#stop();
    if (this.#carriage === "stream") {
      this.#write();
      this.#reply.end();
    } else {
      this.#reply.end(Buffer.from(`[${this.#taken.map((bytes) => Buffer.from(bytes).toString()).join(",")}]`));
    }
    this.#watch();
  }

  destroy(): void {
    this.#over = true;
    this.#reply.cut();
  }

  /** What came could not be handled: its connection is cut. */
  failed(error: unknown): void {
    const { logger } = this.#runtime;
    logger.error({ error, address: this.address }, "a request could not be handled, its connection was cut");
    this.destroy();
  }

  #finish(): void {
    this.#finishing = true;
    this.#events?.beforeEnd();
    this.close(NORMAL, "");
    this.#gone();
  }

  #gone(): void {
    const events = this.#events;
    this.#events = undefined;
    events?.closed(GONE, "");
  }

  #begin(): void {
    if (!this.#begun) this.#reply.begin();
    this.#begun = true;
  }

  #write(): void {
    const [first, ...more] = this.#taken;
    if (!first) return;
    this.#begin();
    this.#reply.write(more.length === 0 ? first : Buffer.concat(this.#taken));
    this.#taken = [];
  }

  #beat(): void {
    this.#after("heartbeat", HEARTBEAT_MS, () => {
      // A client that has not taken what was there gets no more of what says nothing.
      if (this.#reply.buffered === 0) this.#reply.write(NOTHING);
      this.#beat();
    });
  }

  /** Cuts a client that does not take what is left for it. */
  #watch(left = Number.POSITIVE_INFINITY): void {
    this.#after("stuck", STUCK_MS, () => {
      const now = this.buffered();
      if (now >= left || now === 0) this.#reply.cut();
      else this.#watch(now);
    });
  }

  #after(name: "end" | "heartbeat" | "linger" | "stuck", ms: number, action: () => void): void {
    this.#timers.get(name)?.cancel();
    this.#timers.set(name, this.#runtime.timer(ms, action));
  }

  #stop(): void {
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
  }
}

/** One frame as an event of `text/event-stream`: its JSON has no line break. */
function eventOf(payload: Uint8Array): Uint8Array {
  return Buffer.concat([DATA, payload, END]);
}

const DATA = Buffer.from("data: ");
const END = Buffer.from("\n\n");
/** A comment. */
const NOTHING = Buffer.from(":\n\n");
