import type { Encoded } from "@tandem/protocol";

/** The client's end of one connection. Neither call throws; after `close` nothing is sent. */
export interface Socket {
  send(frame: Encoded): void;
  /** Ends the connection, in order after what was sent. `code` is 1000 or of 4000–4999. */
  close(code: number, reason: string): void;
}

/** What a socket tells. No call comes before `connect` has returned. */
export interface SocketEvents {
  opened(): void;
  frame(frame: Encoded): void;
  /** The connection is gone, or never came about (1006). The last call. */
  closed(code: number, reason: string): void;
}

/** The port that opens a connection to `url` in a subprotocol, such as `tandem.v1.json`. */
export type Connect = (url: string, subprotocol: string, events: SocketEvents) => Socket;
