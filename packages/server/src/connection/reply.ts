/** The way back of one request. The port under `ResponseTransport`: it begins and writes, or ends in one piece. */
export interface Reply {
  /** Bytes handed over that the network has not taken yet. */
  readonly buffered: number;
  /** Begins a reply of server-sent events: what is written goes out at once. */
  begin(): void;
  write(bytes: Uint8Array): void;
  /** Ends it. @param body all of it, as JSON, where it was not begun */
  end(body?: Uint8Array): void;
  /** Ends it at once: whatever was not taken yet is gone. */
  cut(): void;
  /** Calls `listener` once when it is over, whoever ended it. */
  onGone(listener: () => void): void;
}
