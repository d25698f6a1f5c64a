import type { ClientMessageInput } from "@tandem/protocol";
import { jsonCodec } from "@tandem/protocol";
import type { LeanEvents, LeanOptions } from "./lean-socket.ts";
import { LeanSocket } from "./lean-socket.ts";

/** Length of processed frames after which the server is told of them, and the longest wait for it: as the client library does. */
const TELL_BYTES = 16_384;
const TELL_MS = 500;

/** A lean socket to Tandem that acknowledges what has been processed, with whatever else is said or by itself. */
export class AcknowledgingSocket {
  readonly #socket: LeanSocket;
  #frames = 0;
  #told = 0;
  #bytes = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: Pick<LeanOptions, "port" | "bytesPerSecond">, events: LeanEvents) {
    this.#socket = new LeanSocket(
      { ...options, path: "/ws", subprotocol: jsonCodec.subprotocol },
      {
        opened: () => events.opened(),
        message: (bytes, start, end) => {
          events.message(bytes, start, end);
          this.#processed(end - start);
        },
        closed: (reason, code) => {
          clearTimeout(this.#timer);
          events.closed(reason, code);
        },
      },
    );
  }

  send(...messages: readonly ClientMessageInput[]): void {
    const received: readonly ClientMessageInput[] =
      this.#frames === this.#told ? [] : [{ type: "received", frames: this.#frames }];
    this.#told = this.#frames;
    this.#bytes = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#socket.send(jsonCodec.join([...messages, ...received].map((message) => jsonCodec.encode(message))));
  }

  /** A slow reader reads as fast as it can from now on. */
  hurry(): void {
    this.#socket.hurry();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #processed(bytes: number): void {
    this.#frames++;
    this.#bytes += bytes;
    if (this.#bytes >= TELL_BYTES) this.send();
    else this.#timer ??= setTimeout(() => this.send(), TELL_MS);
  }
}
