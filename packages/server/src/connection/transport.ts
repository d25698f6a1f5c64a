import type { Codec, Encoded } from "@tandem/protocol";

/** The way to one client: bytes out, and the end of it. The port that every transport implements. */
export interface Transport {
  readonly codec: Codec;
  /** Where the client comes from, for logs and limits. */
  readonly address: string;
  /** Hands one frame to the socket, in order. Text codecs pass UTF-8 bytes. Never throws; after `close` it does nothing. */
  send(frame: Uint8Array): void;
  /** Bytes handed over that the socket has not taken yet. */
  buffered(): number;
  /** Ends the connection: in order after what was sent. */
  close(code: number, reason: string): void;
  /** Ends it at once, without a word: whatever was not taken yet is gone. */
  destroy(): void;
}

/** What a transport tells of its client. */
export interface TransportEvents {
  frame(frame: Encoded): void;
  /** The connection is gone, whoever ended it. Called once, the last call. */
  closed(code: number, reason: string): void;
}
