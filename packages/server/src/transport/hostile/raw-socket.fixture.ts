import type { Socket } from "node:net";
import { connect } from "node:net";

/** Opcodes of RFC 6455, section 5.2. */
export const CONTINUATION = 0x0;
export const TEXT = 0x1;
export const BINARY = 0x2;
export const CLOSE = 0x8;
export const PING = 0x9;
export const PONG = 0xa;

/** A handshake that is accepted. `undefined` in place of a value leaves a header out. */
const GOOD = {
  Host: "tandem.test",
  Upgrade: "websocket",
  Connection: "Upgrade",
  "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
  "Sec-WebSocket-Version": "13",
  "Sec-WebSocket-Protocol": "tandem.v1.json",
};

type Headers = Readonly<Record<string, string | undefined>>;

export interface Handshake {
  readonly method?: string;
  readonly target?: string;
  readonly version?: string;
  readonly headers?: Headers;
  /** Header lines as they are, after the others. */
  readonly lines?: readonly string[];
}

/** The bytes of a request to upgrade. */
export function handshake({ method = "GET", target = "/ws", version = "1.1", headers, lines = [] }: Handshake): string {
  const written = Object.entries({ ...GOOD, ...headers }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  );
  return `${[`${method} ${target} HTTP/${version}`, ...written, ...lines].join("\r\n")}\r\n\r\n`;
}

export interface FrameOptions {
  /** Default true. */
  readonly fin?: boolean;
  /** The three reserved bits, 0 to 7. Default 0. */
  readonly reserved?: number;
  /** The masking key; `null`: unmasked. Default one that changes every byte. */
  readonly mask?: readonly [number, number, number, number] | null;
  /** What the length field tells, in place of the payload's length. */
  readonly length?: number | bigint;
  /** How wide the length field is, in bits: 7, 16 or 64. Default: the narrowest that it fits into. */
  readonly width?: 7 | 16 | 64;
}

/** A frame as a client sends it, or as no client should. */
export function frame(opcode: number, payload: Uint8Array | string = "", options: FrameOptions = {}): Buffer {
  const { fin = true, reserved = 0, mask = [0x37, 0xfa, 0x21, 0x3d] } = options;
  const body = Buffer.from(payload as Uint8Array);
  const length = BigInt(options.length ?? body.length);
  const width = options.width ?? (length < 126n ? 7 : length < 65_536n ? 16 : 64);
  const masked = mask === null ? 0 : 0x80;
  const head = Buffer.alloc(2 + (width === 7 ? 0 : width / 8));
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = masked | (width === 7 ? Number(length) : width === 16 ? 126 : 127);
  if (width === 16) head.writeUInt16BE(Number(length), 2);
  if (width === 64) head.writeBigUInt64BE(length, 2);
  if (mask === null) return Buffer.concat([head, body]);
  for (let at = 0; at < body.length; at++) body[at] = (body[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return Buffer.concat([head, Buffer.from(mask), body]);
}

/** The payload of a close frame. */
export function closePayload(code: number, reason: Uint8Array | string = ""): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(code);
  return Buffer.concat([head, Buffer.from(reason as Uint8Array)]);
}

/** A frame that the server sent. */
export interface Received {
  readonly fin: boolean;
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

type Message = { readonly type: string; readonly [field: string]: unknown };

/** A TCP socket that says exactly what it is told to, and reads everything that comes back. */
export class RawSocket {
  readonly socket: Socket;
  /** The code of the close that this side sent: the server answers with the same. */
  closedWith: number | undefined;
  readonly #looks = new Set<() => void>();
  #bytes = Buffer.alloc(0);
  #ended = false;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.setNoDelay(true);
    const changed = () => {
      for (const look of this.#looks) look();
    };
    this.socket.on("data", (data) => {
      this.#bytes = Buffer.concat([this.#bytes, data]);
      changed();
    });
    this.socket.on("close", () => {
      this.#ended = true;
      changed();
    });
    // A socket that the other side cut is one that ended.
    this.socket.on("error", () => {});
  }

  write(bytes: Uint8Array | string): void {
    this.socket.write(bytes);
  }

  /** Writes the messages as one JSON frame. */
  say(...messages: readonly object[]): void {
    this.write(frame(TEXT, JSON.stringify(messages)));
  }

  /** Sends a close frame. */
  close(code: number, reason: Uint8Array | string = ""): void {
    this.closedWith = code;
    this.write(frame(CLOSE, closePayload(code, reason)));
  }

  /** Everything that came, as letters of latin1. */
  get everything(): string {
    return this.#bytes.toString("latin1");
  }

  /** Resolves once `condition` holds, or nothing can come any more. */
  async until(condition: () => boolean): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = () => {
        if (!condition() && !this.#ended) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  /** The head of the HTTP answer. */
  async answer(): Promise<string> {
    await this.until(() => this.#bytes.includes("\r\n\r\n"));
    return this.everything.split("\r\n\r\n", 1)[0] ?? "";
  }

  /** The HTTP status, 0 when there was no answer. */
  async status(): Promise<number> {
    return Number((await this.answer()).split(" ")[1] ?? 0);
  }

  /** Everything that came, once the server has ended the connection. */
  async end(): Promise<string> {
    await this.until(() => this.#ended);
    return this.everything;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Whole frames that came after the handshake. */
  get frames(): Received[] {
    const start = this.#bytes.indexOf("\r\n\r\n");
    const frames: Received[] = [];
    if (start === -1 || !this.everything.startsWith("HTTP/1.1 101 ")) return frames;
    for (let at = start + 4; at + 2 <= this.#bytes.length; ) {
      const [first = 0, second = 0] = this.#bytes.subarray(at, at + 2);
      const short = second & 0x7f;
      const head = 2 + (short === 126 ? 2 : short === 127 ? 8 : 0);
      if (at + head > this.#bytes.length) break;
      const length =
        short === 126
          ? this.#bytes.readUInt16BE(at + 2)
          : short === 127
            ? Number(this.#bytes.readBigUInt64BE(at + 2))
            : short;
      const payload = this.#bytes.subarray(at + head, at + head + length);
      if (payload.length < length) break;
      frames.push({
        fin: first >= 0x80,
        reserved: (first >> 4) & 7,
        opcode: first & 15,
        masked: second >= 0x80,
        payload,
      });
      at += head + length;
    }
    return frames;
  }

  /** The frame number `at` that came, or undefined where the connection ended before. */
  async frame(at: number): Promise<Received | undefined> {
    await this.until(() => this.frames.length > at);
    return this.frames[at];
  }

  /** Messages of the text frames that came. */
  get messages(): Message[] {
    return this.frames.flatMap(({ opcode, payload }) =>
      opcode === TEXT ? (JSON.parse(payload.toString()) as Message[]) : [],
    );
  }

  /** The answer to a request, or undefined where the connection ended before. */
  async told(id: number): Promise<Message | undefined> {
    const find = () => this.messages.find((message) => message.id === id);
    await this.until(() => find() !== undefined);
    return find();
  }

  /** The close frame that the server sent, or undefined where the connection ended without one. */
  async closed(): Promise<{ readonly code: number; readonly reason: string } | undefined> {
    const find = () => this.frames.find(({ opcode }) => opcode === CLOSE);
    await this.until(() => find() !== undefined);
    const payload = find()?.payload;
    if (!payload) return undefined;
    return { code: payload.length < 2 ? 1005 : payload.readUInt16BE(0), reason: payload.subarray(2).toString() };
  }
}
