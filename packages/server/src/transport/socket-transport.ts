import type { Duplex } from "node:stream";
import type { Codec } from "@tandem/protocol";
import type { WebSocket } from "ws";
import type { Transport } from "../connection/transport.ts";
import type { Frame } from "../delivery/frame.ts";
import { deflated, webSocketFrame } from "./websocket-frame.ts";

/**
 * One WebSocket behind the `Transport` port. Frames are written beside `ws`, into its socket: what goes to many is made once, and
 * what one flush brings goes out in one system call. `ws` itself only ever writes control frames, and compresses nothing, so that
 * the order holds.
 */
export class SocketTransport implements Transport {
  readonly codec: Codec;
  readonly address: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  /** Frames from this length in bytes go out compressed; `undefined`: none, as agreed in the handshake. */
  readonly #compressAbove: number | undefined;
  #taken: Frame | undefined;
  #corked = false;

  constructor(
    webSocket: WebSocket,
    socket: Duplex,
    codec: Codec,
    address: string,
    compressAbove: number | undefined = undefined,
  ) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.codec = codec;
    this.address = address;
    this.#compressAbove = compressAbove;
  }

  send(frame: Frame): void {
    // The first of a flush waits for the next: one frame alone needs no cork.
    if (this.#taken && !this.#corked) {
      this.#corked = true;
      this.#socket.cork();
    }
    this.#write();
    this.#taken = frame;
  }

  flush(): void {
    this.#write();
    if (this.#corked) this.#socket.uncork();
    this.#corked = false;
  }

  #write(): void {
    const frame = this.#taken;
    this.#taken = undefined;
    if (frame && this.#webSocket.readyState === this.#webSocket.OPEN) this.#socket.write(this.#wire(frame));
  }

  #wire(frame: Frame): Uint8Array {
    const text = this.codec.name === "json";
    const { byteLength } = frame.payload;
    if (this.#compressAbove !== undefined && byteLength >= this.#compressAbove) {
      return frame.as("websocket-deflate", (payload) => webSocketFrame(deflated(payload), text, true));
    }
    return frame.as("websocket", (payload) => webSocketFrame(payload, text, false));
  }

  buffered(): number {
    return this.#socket.writableLength;
  }

  close(code: number, reason: string): void {
    this.flush();
    this.#webSocket.close(code, reason);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}
