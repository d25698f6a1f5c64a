import type { ServerMessage } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import { systemRuntime } from "@tandem/runtime";
import { AcknowledgingSocket } from "../wire/acknowledging-socket.ts";
import { CURSOR, countCursors, cursorOf, ROOM } from "./cursor.ts";

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
  readonly #socket: AcknowledgingSocket;
  #awaited = 2;
  #seq = 1;
  #moves = 0;

  constructor(port: number, number: number, events: MoverEvents) {
    this.#number = number;
    this.#events = events;
    const instance = { secret: runtime.randomId(), connection: 1 };
    this.#socket = new AcknowledgingSocket(
      { port },
      {
        opened: () => this.#socket.send({ type: "hello", id: 1, guest: { secret: runtime.randomId() }, instance }),
        message: (bytes, start, end) => this.#frame(bytes, start, end),
        closed: (reason) => events.failed(new Error(reason)),
      },
    );
  }

  move(): void {
    const data = cursorOf(this.#number, ++this.#moves, Number(process.hrtime.bigint() / 1_000n));
    this.#socket.send({ type: "signal", channel: ROOM, seq: ++this.#seq, signals: { [CURSOR]: data } });
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #frame(bytes: Buffer, start: number, end: number): void {
    if (bytes.compare(SIGNALS, 0, SIGNALS.length, start, start + SIGNALS.length) !== 0) {
      for (const message of jsonCodec.decode(bytes.toString("utf8", start, end)) as ServerMessage[])
        this.#take(message);
    }
    this.seen += countCursors(bytes, start, end);
  }

  #take(message: ServerMessage): void {
    switch (message.type) {
      case "welcome":
        return this.#socket.send(
          { type: "watch", id: 2, channel: ROOM },
          { type: "enter", id: 3, channel: ROOM, seq: 1, state: { name: `member ${this.#number}` } },
        );
      case "watching":
      case "entered":
        if (--this.#awaited === 0) this.#events.entered();
        return;
      case "ping":
        return this.#socket.send({ type: "pong" });
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
