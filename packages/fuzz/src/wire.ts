/** What a frame's head tells; what is left out is as it should be. */
export interface Head {
  readonly opcode: number;
  readonly fin?: boolean;
  /** The three reserved bits. */
  readonly reserved?: number;
  /** The masking key as a number; `null`: unmasked. */
  readonly mask?: number | null;
  /** What the length field tells, in place of the payload's length. */
  readonly length?: bigint;
}

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;
export const PING = 9;
export const PONG = 10;

/** A client's frame (RFC 6455, section 5.2), or what no client should send. */
export function frameOf(payload: Uint8Array, { opcode, fin = true, reserved = 0, mask = 0, length }: Head): Buffer {
  const told = length ?? BigInt(payload.length);
  const short = told < 126n ? Number(told) : told < 65_536n ? 126 : 127;
  const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + lengthBytes + (mask === null ? 0 : 4);
  const frame = Buffer.alloc(start + payload.length);
  frame[0] = (fin ? 0x80 : 0) | ((reserved & 7) << 4) | (opcode & 15);
  frame[1] = (mask === null ? 0 : 0x80) | short;
  if (lengthBytes === 2) frame.writeUInt16BE(Number(told), 2);
  if (lengthBytes === 8) frame.writeBigUInt64BE(told, 2);
  frame.set(payload, start);
  if (mask === null) return frame;
  frame.writeUInt32BE(mask >>> 0, start - 4);
  if (mask !== 0) {
    for (let at = start; at < frame.length; at++) {
      frame[at] = (frame[at] ?? 0) ^ (frame[start - 4 + ((at - start) & 3)] ?? 0);
    }
  }
  return frame;
}

/** A frame of the server's. */
export interface Heard {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Takes the server's bytes apart: the head of its answer to the handshake first, then frames. */
export class Reader {
  #bytes: Buffer = Buffer.alloc(0);
  #status: number | undefined;

  /** The HTTP status of the handshake, once it has come. */
  get status(): number | undefined {
    return this.#status;
  }

  *take(bytes: Buffer): Generator<Heard> {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    if (this.#status === undefined) {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      this.#status = Number(this.#bytes.toString("latin1", 9, 12));
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    if (this.#status !== 101) return;
    for (;;) {
      const frame = this.#next();
      if (!frame) return;
      yield frame;
    }
  }

  #next(): Heard | undefined {
    const bytes = this.#bytes;
    if (bytes.length < 2) return undefined;
    const short = (bytes[1] ?? 0) & 0x7f;
    const start = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (bytes.length < start) return undefined;
    const length = short === 126 ? bytes.readUInt16BE(2) : short === 127 ? Number(bytes.readBigUInt64BE(2)) : short;
    if (bytes.length < start + length) return undefined;
    this.#bytes = bytes.subarray(start + length);
    return { opcode: (bytes[0] ?? 0) & 15, payload: bytes.subarray(start, start + length) };
  }
}
