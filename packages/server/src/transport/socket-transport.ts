import type { Duplex } from "node:stream";
import type { Codec } from "@tandem/protocol";
import type { WebSocket } from "ws";
import type { Transport } from "../connection/transport.ts";

/** One WebSocket behind the `Transport` port. */
export class SocketTransport implements Transport {
  readonly codec: Codec;
  readonly address: string;
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #writer: FrameWriter;

  constructor(webSocket: WebSocket, socket: Duplex, codec: Codec, address: string, writer: FrameWriter) {
    this.#webSocket = webSocket;
    this.#socket = socket;
    this.codec = codec;
    this.address = address;
    this.#writer = writer;
  }

  send(frame: Uint8Array): void {
    if (this.#webSocket.readyState === this.#webSocket.OPEN)
      this.#writer.write(this.#socket, frame, this.codec.name === "json");
  }

  buffered(): number {
    return this.#socket.writableLength;
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, reason);
  }

  destroy(): void {
    this.#webSocket.terminate();
  }
}

const TEXT = 0x81;
const BINARY = 0x82;

/**
 * Writes messages to many sockets: the WebSocket frame of a message that goes to many is made once, and what is written to one
 * socket within a turn goes out in one system call. Nothing is compressed, so that nothing waits inside `ws`, and
 * writing beside it keeps the order.
 */
export class FrameWriter {
  #corked: Duplex[] = [];
  #last: { readonly payload: Uint8Array; readonly text: boolean; readonly frame: Buffer } | undefined;

  write(socket: Duplex, payload: Uint8Array, text: boolean): void {
    if (socket.writableCorked === 0) {
      socket.cork();
      if (this.#corked.push(socket) === 1) process.nextTick(() => this.#uncork());
    }
    socket.write(this.#frame(payload, text));
  }

  #uncork(): void {
    const sockets = this.#corked;
    this.#corked = [];
    // The frame is held for one turn only, so that an idle server keeps nobody's message.
    this.#last = undefined;
    for (const socket of sockets) socket.uncork();
  }

  #frame(payload: Uint8Array, text: boolean): Buffer {
    const last = this.#last;
    if (last && last.payload === payload && last.text === text) return last.frame;
    const frame = webSocketFrame(payload, text);
    this.#last = { payload, text, frame };
    return frame;
  }
}

/** One unmasked, unfragmented frame (RFC 6455, section 5.2). */
function webSocketFrame(payload: Uint8Array, text: boolean): Buffer {
  const { length } = payload;
  const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = text ? TEXT : BINARY;
  if (head === 2) frame[1] = length;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.set(payload, head);
  return frame;
}
