import { LeanSocket } from "./lean-socket.ts";
import type { Wire, WireEvents, WireOptions } from "./wire.ts";

/** A bare WebSocket: it names its channel, is answered, and then every message is a payload. */
export class PlainWire implements Wire {
  readonly #socket: LeanSocket;
  #stands = false;

  constructor({ port, channel, bytesPerSecond }: WireOptions, events: WireEvents) {
    this.#socket = new LeanSocket(
      { port, path: "/", bytesPerSecond },
      {
        opened: () => this.#socket.send(channel),
        message: (bytes, start, end) => {
          if (this.#stands) return events.message(bytes, start, end);
          this.#stands = true;
          events.standing();
        },
        closed: (reason) => events.failed(new Error(reason)),
      },
    );
  }

  publish(): void {
    throw new Error("clients of this system do not publish here");
  }

  hurry(): void {
    this.#socket.hurry();
  }

  destroy(): void {
    this.#socket.destroy();
  }
}
