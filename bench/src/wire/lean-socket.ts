import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { connect } from "node:net";
import { FrameReader } from "./frame-reader.ts";

/** All sockets of this process read into the same bytes: what is read is looked at before the next read. */
const INTO = Buffer.allocUnsafeSlow(65_536);

/** How often, in milliseconds, a slow reader reads its share. */
const SIP_MS = 100;

const GONE = 1006;

const HEAD_END = "\r\n\r\n";
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0]);

export interface LeanOptions {
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly subprotocol?: string;
  /** Bytes a second that are read; what comes beyond stays in the kernel's buffers. Default: as fast as they come. */
  readonly bytesPerSecond?: number | undefined;
}

export interface LeanEvents {
  opened(): void;
  /** One message: `bytes` from `start` to `end`, to be read before this call returns. */
  message(bytes: Buffer, start: number, end: number): void;
  /** The last call. `code` is the server's own, or 1006 where it gave none. */
  closed(reason: string, code: number): void;
}

/** A WebSocket of the fewest instructions: thousands of receivers must cost less than the one server they measure. */
export class LeanSocket {
  readonly #socket: Socket;
  readonly #events: LeanEvents;
  readonly #frames: FrameReader;
  #head: string | undefined = "";
  #sipping: NodeJS.Timeout | undefined;
  #ended = false;

  constructor({ port, path, subprotocol, bytesPerSecond }: LeanOptions, events: LeanEvents) {
    this.#events = events;
    this.#frames = new FrameReader({
      message: (bytes, start, end) => events.message(bytes, start, end),
      ping: () => this.#socket.write(PONG),
      closed: (code) => this.#end(`the server closed with ${code}`, code),
    });
    const onread = {
      buffer: INTO,
      callback: (count: number) => {
        this.#read(INTO.subarray(0, count));
        return true;
      },
    };
    const slow = bytesPerSecond !== undefined;
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true, ...(slow ? {} : { onread }) });
    if (slow) {
      const sip = Math.ceil((bytesPerSecond * SIP_MS) / 1_000);
      // Without a listener for `data` nothing flows: what is not read stays where it is.
      this.#socket.on("readable", () => {});
      this.#sipping = setInterval(() => {
        const piece: Buffer | null = this.#socket.read(sip) ?? this.#socket.read();
        if (piece) this.#read(piece);
      }, SIP_MS);
    }
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", () => this.#end("the connection was cut"));
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      ...(subprotocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${subprotocol}`]),
    ];
    this.#socket.write(lines.join("\r\n") + HEAD_END);
  }

  /** Sends a text message. */
  send(text: string): void {
    if (!this.#ended) this.#socket.write(maskedText(text));
  }

  /** A slow reader reads as fast as it can from now on. */
  hurry(): void {
    if (this.#sipping === undefined) return;
    clearInterval(this.#sipping);
    this.#sipping = undefined;
    this.#socket.removeAllListeners("readable");
    this.#socket.on("data", (piece: Buffer) => this.#read(piece));
    this.#socket.resume();
  }

  /** Ends it without a word. */
  destroy(): void {
    this.#ended = true;
    clearInterval(this.#sipping);
    this.#socket.destroy();
  }

  #read(piece: Buffer): void {
    if (this.#ended) return;
    try {
      const frames = this.#head === undefined ? piece : this.#handshake(piece);
      if (frames && frames.length > 0) this.#frames.push(frames);
    } catch (error) {
      this.#end(error instanceof Error ? error.message : String(error));
    }
  }

  /** @returns what follows the head of the answer, once it is whole */
  #handshake(piece: Buffer): Buffer | undefined {
    const head = this.#head + piece.toString("latin1");
    const end = head.indexOf(HEAD_END);
    this.#head = head;
    if (end === -1) return undefined;
    if (!head.startsWith("HTTP/1.1 101 ")) throw new Error(`the handshake was answered ${head.split("\r\n", 1)}`);
    this.#head = undefined;
    const rest = Buffer.from(head.slice(end + HEAD_END.length), "latin1");
    this.#events.opened();
    return rest;
  }

  #end(reason: string, code = GONE): void {
    if (this.#ended) return;
    this.destroy();
    this.#events.closed(reason, code);
  }
}

/** One masked text frame. Its mask is zero: the server takes it off all the same, and nobody has to put it on. */
function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  const { length } = payload;
  const head = length < 126 ? 6 : 8;
  if (length > 65_535) throw new RangeError("a message of a benchmark is short");
  const frame = Buffer.alloc(head + length);
  frame[0] = 0x81;
  frame[1] = 0x80 | Math.min(length, 126);
  if (head === 8) frame.writeUInt16BE(length, 2);
  payload.copy(frame, head);
  return frame;
}
