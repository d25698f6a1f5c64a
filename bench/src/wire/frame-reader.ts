const TEXT = 1;
const CLOSE = 8;
const PING = 9;

export interface FrameEvents {
  /** One whole message: `bytes` from `start` to `end`, to be read before this call returns. */
  message(bytes: Buffer, start: number, end: number): void;
  ping(): void;
  closed(code: number): void;
}

/** Reads a server's WebSocket frames (unmasked, whole messages) from pieces of bytes, copying only what a piece cuts in two. */
export class FrameReader {
  readonly #events: FrameEvents;
  #rest: Buffer | undefined;

  constructor(events: FrameEvents) {
    this.#events = events;
  }

  /** Takes a piece. It may be overwritten after this call. @throws Error on a frame that is in several pieces */
  push(piece: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, piece]) : piece;
    const { length } = bytes;
    let at = 0;
    while (length - at >= 2) {
      const first = bytes[at] ?? 0;
      let start = at + 2;
      let size = (bytes[at + 1] ?? 0) & 0x7f;
      if (size === 126) {
        if (length - at < 4) break;
        size = bytes.readUInt16BE(start);
        start += 2;
      } else if (size === 127) {
        if (length - at < 10) break;
        size = Number(bytes.readBigUInt64BE(start));
        start += 8;
      }
      const end = start + size;
      if (end > length) break;
      this.#take(first, bytes, start, end);
      at = end;
    }
    this.#rest = at === length ? undefined : Buffer.from(bytes.subarray(at));
  }

  #take(first: number, bytes: Buffer, start: number, end: number): void {
    const code = first & 0x0f;
    if (first === (0x80 | TEXT)) this.#events.message(bytes, start, end);
    else if (code === PING) this.#events.ping();
    else if (code === CLOSE) this.#events.closed(end - start >= 2 ? bytes.readUInt16BE(start) : 1005);
    else throw new Error(`a frame that no server here should send: ${first}`);
  }
}
