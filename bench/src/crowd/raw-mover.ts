import type { ClientMessageInput, ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import { LeanSocket } from "../wire/lean-socket.ts";
import { CURSOR, countCursors, cursorOf, ROOM } from "./cursor.ts";

/** Length of processed frames after which the server is told of them, and the longest wait for it: as the client library does. */
const TELL_BYTES = 16_384;
const TELL_MS = 500;

const SIGNALS = Buffer.from('[{"type":"signals"');

const runtime = systemRuntime();

export interface MoverEvents {
  /** It is in the room, and sees it. */
  entered(): void;
  failed(error: Error): void;
}

/** A member that moves, acknowledges and counts what it sees; it says what the client library would say, and does nothing with what it hears. */
export class RawMover {
  /** Cursors that it was told, its own among them. */
  seen = 0;
  readonly #number: number;
  readonly #events: MoverEvents;
  readonly #socket: LeanSocket;
  #awaited = 2;
  #seq = 1;
  #moves = 0;
  #frames = 0;
  #told = 0;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(port: number, number: number, events: MoverEvents) {
    this.#number = number;
    this.#events = events;
    const instance = { secret: runtime.randomId(), connection: 1 };
    this.#socket = new LeanSocket(
      { port, path: "/ws", subprotocol: jsonCodec.subprotocol },
      {
        opened: () => this.#send({ type: "hello", id: 1, guest: { secret: runtime.randomId() }, instance }),
        message: (bytes, start, end) => this.#frame(bytes, start, end),
        closed: (reason) => {
          clearTimeout(this.#timer);
          events.failed(new Error(reason));
        },
      },
    );
  }

  move(): void {
    const data = cursorOf(this.#number, ++this.#moves, Number(process.hrtime.bigint() / 1_000n));
    this.#send({ type: "signal", channel: ROOM, seq: ++this.#seq, signals: { [CURSOR]: data } });
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #send(...messages: readonly ClientMessageInput[]): void {
    const received: readonly ClientMessageInput[] =
      this.#frames === this.#told ? [] : [{ type: "received", frames: this.#frames }];
    this.#told = this.#frames;
    this.#bytes = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket.send(jsonCodec.join([...messages, ...received].map((message) => jsonCodec.encode(message))));
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    if (bytes.compare(SIGNALS, 0, SIGNALS.length, start, start + SIGNALS.length) !== 0) {
      for (const message of jsonCodec.decode(bytes.toString("utf8", start, end)) as ServerMessage[])
        this.#take(message);
    }
    this.seen += countCursors(bytes, start, end);
    this.#frames++;
    this.#bytes += end - start;
    if (this.#bytes >= TELL_BYTES) this.#send();
    else this.#timer ??= setTimeout(() => this.#send(), TELL_MS);
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        return this.#send(
          { type: "watch", id: 2, channel: ROOM },
          { type: "enter", id: 3, channel: ROOM, seq: 1, state: { name: `member ${this.#number}` } },
        );
      case "watching":
      case "entered":
        if (--this.#awaited === 0) this.#events.entered();
        return;
      case "ping":
        return this.#send({ type: "pong" });
      case "error":
      case "unsignalled":
      case "closing":
        this.#events.failed(new Error(`the server said ${JSON.stringify(message)}`));
        return this.destroy();
      default:
        return;
    }
  }
}
