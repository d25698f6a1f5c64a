import type { Codec, Encoded } from "@tandem/protocol";
import type { Frame } from "../delivery/frame.ts";

/** The way to one client: bytes out, and the end of it. The port that every transport implements. */
export interface Transport {
  readonly codec: Codec;
  /** Where the client comes from, for logs and limits. */
  readonly address: string;
  /**
   * The answer to one request: no acknowledgement, no sign of life and no fresh token can come. Such a connection ends by itself when
   * its credit is used up; the client comes again with its positions, which acknowledges everything.
   */
  readonly oneWay?: boolean;
  /** Asks for something beside the client's own connection: that it ends says nothing of the client. */
  readonly side?: boolean;
  /** Takes one frame, in order. Text codecs pass UTF-8 bytes. Never throws; after `close` it does nothing. */
  send(frame: Frame): void;
  /** Hands all frames taken since the last flush to the socket, in one write. `delivered`: there was more in them than answers. */
  flush(delivered: boolean): void;
  /** Drops what it has taken and not handed over. A transport that hands everything over at a flush has nothing of that kind. */
  purge?(): void;
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
  /** The connection is about to end in good order: the last moment to purge what was taken, and to say where the client stands. */
  beforeEnd(): void;
  /** No more frames will come: the connection ends by itself, with 1000, once everything that was asked is answered. */
  end(): void;
  /** The connection is gone, whoever ended it. Called once, the last call. */
  closed(code: number, reason: string): void;
}
