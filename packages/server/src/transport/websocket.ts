import type { IncomingMessage } from "node:http";
import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { Codec, Limits } from "@tandem/protocol";
import { closeCodeOf, jsonCodec, SUBPROTOCOLS } from "@tandem/protocol";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import type { Runtime } from "@tandem/runtime";
import type { PerMessageDeflateOptions, RawData, WebSocket } from "ws";
import { WebSocketServer } from "ws";
import type { Transport, TransportEvents } from "../connection/transport.ts";
import type { TrustedProxies } from "./client-address.ts";
import { clientAddress } from "./client-address.ts";
import { ControlFrames } from "./control-frames.ts";
import type { Refusal, Subprotocol } from "./handshake.ts";
import { chooseSubprotocol, judgeHandshake, pathOf } from "./handshake.ts";
import type { Room } from "./room.ts";
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

/** A WebSocket that is open. */
interface Open {
  readonly events: TransportEvents;
  readonly address: string;
  /** Made with the first of its control frames. */
  control: ControlFrames | undefined;
}

/** What a WebSocket of `ws` calls. */
interface Listeners {
  message(this: WebSocket, data: RawData, isBinary: boolean): void;
  control(this: WebSocket): void;
  error(this: WebSocket, error: Error & { code?: string }): void;
  close(this: WebSocket, code: number, reason: Buffer): void;
}

/** The WebSocket side of a server, for the `upgrade` event of any HTTP server. */
export class WebSockets {
  readonly #options: WebSocketOptions;
  readonly #server: WebSocketServer;
  readonly #sockets = new Map<WebSocket, Open>();
  readonly #listeners: Listeners;

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#listeners = this.#listen();
    this.#server = new WebSocketServer({
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
    for (const webSocket of this.#sockets.keys()) webSocket.terminate();
  }

  #open(webSocket: WebSocket, socket: Duplex, address: string): void {
    const { compressAbove } = this.#options;
    const codec = CODECS[webSocket.protocol === SUBPROTOCOLS.msgpack ? SUBPROTOCOLS.msgpack : SUBPROTOCOLS.json];
    const agreed = webSocket.extensions.includes("permessage-deflate") ? compressAbove : undefined;
    const events = this.#options.accept(new SocketTransport(webSocket, socket, codec, address, agreed));
    this.#sockets.set(webSocket, { events, address, control: undefined });
    this.#options.room.enter();
    const { message, control, error, close } = this.#listeners;
    webSocket.on("message", message).on("ping", control).on("pong", control).on("error", error).on("close", close);
  }

  /** What every WebSocket has called: one set of functions for all, which find theirs by `this`, as `ws` gives it. */
  #listen(): Listeners {
    const sockets = this.#sockets;
    const { runtime, room } = this.#options;
    const { logger } = runtime;
    const countControl = (webSocket: WebSocket) => this.#countControl(webSocket);
    return {
      message(data, isBinary) {
        const open = sockets.get(this);
        // After our own close, what still comes is read to its end and not looked at.
        if (!open || this.readyState !== this.OPEN) return;
        try {
          open.events.frame(isBinary ? (data as Buffer) : data.toString());
        } catch (error) {
          // Whatever a client sends, the others go on.
          const { address } = open;
          logger.error({ error, address }, "a frame could not be handled, its connection was closed");
          this.close(closeCodeOf("internal"), "internal");
        }
      },
      control() {
        countControl(this);
      },
      // ws answers with the close code of RFC 6455 (1002, 1007, 1008, 1009) by itself.
      error(error) {
        logger.warn(
          { noise: error.code ?? "socket-error", address: sockets.get(this)?.address, reason: error.message },
          "a client broke the WebSocket protocol, or its socket failed",
        );
      },
      close(code, reason) {
        const open = sockets.get(this);
        sockets.delete(this);
        room.leave();
        open?.events.closed(code, reason.toString());
      },
    };
  }

  #countControl(webSocket: WebSocket): void {
    const open = this.#sockets.get(webSocket);
    if (!open) return;
    const { runtime } = this.#options;
    open.control ??= new ControlFrames(() => runtime.elapsed());
    if (open.control.count() || webSocket.readyState !== webSocket.OPEN) return;
    const { address } = open;
    runtime.logger.warn({ noise: "control-flood", address }, "a client sent too many pings, it was closed");
    webSocket.close(1008, "too many control frames");
    // The rest of the flood is not read: the socket is cut when the time for its answer is over.
    webSocket.pause();
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
