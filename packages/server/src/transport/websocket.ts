import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Codec, Limits } from "@tandem/protocol";
import { closeCodeOf, jsonCodec, SUBPROTOCOLS } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import type { Runtime } from "@tandem/runtime";
import type { PerMessageDeflateOptions, RawData, Server } from "ws";
import { WebSocketServer } from "ws";
import type { Transport, TransportEvents } from "../connection/transport.ts";
import type { TrustedProxies } from "./client-address.ts";
import { clientAddress } from "./client-address.ts";
import { ControlFrames } from "./control-frames.ts";
import type { Refusal, Subprotocol } from "./handshake.ts";
import { chooseSubprotocol, judgeHandshake, pathOf } from "./handshake.ts";
import type { Room } from "./room.ts";
import type { SocketEvents } from "./server-socket.ts";
import { ServerSocket } from "./server-socket.ts";
import { SocketTransport } from "./socket-transport.ts";

/** Most pieces that one message may come in. Clients of ours send whole messages. */
const MOST_FRAGMENTS = 256;
/** Most pieces of the network that may wait for the end of one frame. */
const MOST_CHUNKS = 4_096;
/** Milliseconds that the other side has to answer a close. (The types of ws do not know this option yet.) */
const CLOSE_TIMEOUT = { closeTimeout: 3_000 };

/**
 * Messages of clients are inflated by `ws`; ours are deflated beside it, without a context, and in no smaller window than the usual
 * (`false`, which the types of ws do not know), so that one result serves all.
 */
const DEFLATE: object = {
  threshold: Number.POSITIVE_INFINITY,
  serverNoContextTakeover: true,
  clientNoContextTakeover: true,
  serverMaxWindowBits: false,
};

const CODECS: Record<Subprotocol, Codec> = {
  [SUBPROTOCOLS.json]: jsonCodec,
  [SUBPROTOCOLS.msgpack]: msgpackCodec,
};

export interface WebSocketOptions {
  /** The path that is ours, such as `/ws`. */
  readonly path: string;
  readonly limits: Pick<Limits, "frameBytes">;
  /** Allowed origins; left out: only pages from the same host. */
  readonly origins: readonly string[] | undefined;
  readonly trusted: TrustedProxies;
  readonly room: Room;
  /** Frames from this length in bytes are compressed for those who offer it; 0: none. */
  readonly compressAbove: number;
  readonly runtime: Runtime;
  /** Takes a new connection. */
  accept(transport: Transport): TransportEvents;
}

/** The WebSocket side of a server, for the `upgrade` event of any HTTP server. */
export class WebSockets implements SocketEvents {
  readonly #options: WebSocketOptions;
  readonly #server: Server<typeof ServerSocket>;
  readonly #sockets = new Set<ServerSocket>();

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#server = new WebSocketServer({
      WebSocket: ServerSocket,
      noServer: true,
      clientTracking: false,
      perMessageDeflate: options.compressAbove > 0 ? (DEFLATE as PerMessageDeflateOptions) : false,
      maxPayload: options.limits.frameBytes,
      maxFragments: MOST_FRAGMENTS,
      maxBufferedChunks: MOST_CHUNKS,
      ...CLOSE_TIMEOUT,
      handleProtocols: (offered) => chooseSubprotocol([...offered].join(",")) ?? false,
    });
    // What ws itself turns down (a malformed list of subprotocols) was not seen by `judgeHandshake`.
    this.#server.on("wsClientError", (error, socket) => {
      this.#refuse(socket, { status: 400, noise: "bad-handshake", sentence: `${error.message}.` }, "");
    });
  }

  /** Does it ask for a WebSocket, or for anything else at the path that is ours? */
  concerns(request: IncomingMessage): boolean {
    return request.headers.upgrade?.toLowerCase() === "websocket" || pathOf(request) === this.#options.path;
  }

  /** Takes a request to upgrade. @returns false when its path is another: it is not touched then */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): boolean {
    if (pathOf(request) !== this.#options.path) return false;
    const address = clientAddress(request, this.#options.trusted);
    const refusal = judgeHandshake(request, this.#options) ?? this.#options.room.refusal;
    if (refusal) this.#refuse(socket, refusal, address);
    else this.#server.handleUpgrade(request, socket, head, (webSocket) => this.#open(webSocket, socket, address));
    return true;
  }

  /** Cuts whoever is still there. */
  destroy(): void {
    for (const webSocket of this.#sockets) webSocket.terminate();
  }

  #open(webSocket: ServerSocket, socket: Duplex, address: string): void {
    const { compressAbove } = this.#options;
    const codec = CODECS[webSocket.protocol === SUBPROTOCOLS.msgpack ? SUBPROTOCOLS.msgpack : SUBPROTOCOLS.json];
    const agreed = webSocket.extensions.includes("permessage-deflate") ? compressAbove : undefined;
    webSocket.address = address;
    webSocket.connection = this.#options.accept(new SocketTransport(webSocket, socket, codec, address, agreed));
    this.#sockets.add(webSocket);
    this.#options.room.enter();
    webSocket.tell(this);
  }

  message(webSocket: ServerSocket, data: RawData, isBinary: boolean): void {
    const { connection, address } = webSocket;
    // After our own close, what still comes is read to its end and not looked at.
    if (!connection || webSocket.readyState !== webSocket.OPEN) return;
    try {
      connection.frame(isBinary ? (data as Buffer) : data.toString());
    } catch (error) {
      // Whatever a client sends, the others go on.
      this.#options.runtime.logger.error({ error, address }, "a frame could not be handled, its connection was closed");
      webSocket.close(closeCodeOf("internal"), "internal");
    }
  }

  control(webSocket: ServerSocket): void {
    const { runtime } = this.#options;
    const { address } = webSocket;
    webSocket.controlFrames ??= new ControlFrames(() => runtime.elapsed());
    if (webSocket.controlFrames.count() || webSocket.readyState !== webSocket.OPEN) return;
    runtime.logger.warn({ noise: "control-flood", address }, "a client sent too many pings, it was closed");
    webSocket.close(1008, "too many control frames");
    // The rest of the flood is not read: the socket is cut when the time for its answer is over.
    webSocket.pause();
  }

  /** `ws` answers with the close code of RFC 6455 (1002, 1007, 1008, 1009) by itself. */
  error({ address }: ServerSocket, error: Error & { code?: string }): void {
    this.#options.runtime.logger.warn(
      { noise: error.code ?? "socket-error", address, reason: error.message },
      "a client broke the WebSocket protocol, or its socket failed",
    );
  }

  closed(webSocket: ServerSocket, code: number, reason: Buffer): void {
    const { connection } = webSocket;
    webSocket.connection = undefined;
    this.#sockets.delete(webSocket);
    this.#options.room.leave();
    connection?.closed(code, reason.toString());
  }

  #refuse(socket: Duplex, { status, noise, sentence, headers }: Refusal, address: string): void {
    this.#options.runtime.logger.warn({ noise, address, status }, "a handshake was turned down");
    turnDown(socket, status, sentence, headers);
  }
}

/** Answers a request to upgrade with an HTTP status and a sentence, and ends the socket. */
export function turnDown(
  socket: Duplex,
  status: number,
  sentence: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  // The client may be gone already: there is nobody to tell, and nothing to do about it.
  socket.on("error", () => socket.destroy());
  const body = `${sentence}\n`;
  const lines = Object.entries({
    ...headers,
    Connection: "close",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": String(Buffer.byteLength(body)),
    "X-Content-Type-Options": "nosniff",
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.once("finish", () => socket.destroy());
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}
