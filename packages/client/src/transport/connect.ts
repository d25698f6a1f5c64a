import type { Encoded } from "@tandem/protocol";

/** What carries a connection: a WebSocket; or, where that is blocked, POST up and server-sent events or long polls down. */
export type TransportName = "websocket" | "sse" | "poll";

/** The client's end of one connection. Neither call throws; after `close` nothing is sent. */
export interface Socket {
  /** What carries it, once that is known. */
  readonly transport?: TransportName | undefined;
  send(frame: Encoded): void;
  /** Ends the connection, in order after what was sent. `code` is 1000 or of 4000–4999. */
  close(code: number, reason: string): void;
}

/** What a socket tells. No call comes before `connect` has returned. */
export interface SocketEvents {
  opened(): void;
  frame(frame: Encoded): void;
  /** A better way was found: worth connecting again at once. */
  moved?(): void;
  /** The connection is gone, or never came about (1006). The last call. */
  closed(code: number, reason: string): void;
}

/** The port that opens a connection to `url` in a subprotocol, such as `tandem.v1.json`. */
export type Connect = (url: string, subprotocol: string, events: SocketEvents) => Socket;
