import { LeanSocket } from "./lean-socket.ts";
import type { Wire, WireEvents, WireOptions } from "./wire.ts";

const PATH = "/socket.io/?EIO=4&transport=websocket";
const CODE_0 = 48;
const CODE_2 = 50;
const CODE_3 = 51;
const CODE_4 = 52;
const PONG = "3";
const CONNECT = "40";

/** A client on the wire of Socket.IO 4 (Engine.IO 4, Socket.IO protocol 5), over WebSocket from its first byte. */
export class SocketIoWire implements Wire {
  readonly #socket: LeanSocket;
  readonly #events: WireEvents;
  readonly #channel: string;
  readonly #waiting = new Map<number, () => void>();
  #ids = 0;

  constructor({ port, channel, bytesPerSecond }: WireOptions, events: WireEvents) {
    this.#events = events;
    this.#channel = channel;
    this.#socket = new LeanSocket(
      { port, path: PATH, bytesPerSecond },
      {
        opened: () => {},
        message: (bytes, start, end) => this.#take(bytes, start, end),
        closed: (reason) => events.failed(new Error(reason)),
      },
    );
  }

  publish(payload: object, acknowledged: () => void): void {
    this.#ask(["publish", this.#channel, payload], acknowledged);
  }

  hurry(): void {
    this.#socket.hurry();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #ask(packet: readonly unknown[], answered: () => void): void {
    const id = this.#ids++;
    this.#waiting.set(id, answered);
    this.#socket.send(`42${id}${JSON.stringify(packet)}`);
  }

  #take(bytes: Buffer, start: number, end: number): void {
    const kind = bytes[start];
    const packet = bytes[start + 1];
    if (kind === CODE_4 && packet === CODE_2) return this.#events.message(bytes, start, end);
    if (kind === CODE_4 && packet === CODE_3) {
      const id = Number.parseInt(bytes.toString("latin1", start + 2, end), 10);
      this.#waiting.get(id)?.();
      this.#waiting.delete(id);
    } else if (kind === CODE_2) this.#socket.send(PONG);
    else if (kind === CODE_0) this.#socket.send(CONNECT);
    else if (kind === CODE_4 && packet === CODE_0) this.#ask(["join", this.#channel], () => this.#events.standing());
    else {
      this.#events.failed(new Error(`Socket.IO answered ${bytes.toString("utf8", start, end)}`));
      this.destroy();
    }
  }
}
