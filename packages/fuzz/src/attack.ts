import type { Socket } from "node:net";
import { connect } from "node:net";
import { isErrorCode, ServerMessageSchema } from "@tandem/protocol";
import * as v from "valibot";
import { CODECS } from "./corpus.ts";
import type { Counts } from "./reports.ts";
import { count } from "./reports.ts";
import type { Script } from "./script.ts";
import type { Heard } from "./wire.ts";
import { BINARY, CLOSE, frameOf, PING, PONG, Reader, TEXT } from "./wire.ts";

/** Milliseconds in which a connection must have answered or ended. Whoever does not answer a close is cut after 3,000. */
const PATIENCE = 20_000;

/** Frames that are sent together. The next ones follow when the server has read these. */
const PORTION = 8;

/** The request id of a connection's own `hello`. */
const HELLO = 9_000_000;

/** What hostile connections were told, all together. */
export interface Told {
  connections: number;
  /** How connections ended: the code of the server's close frame, or in words. */
  readonly closes: Counts;
  /** Error codes that were answered. */
  readonly codes: Counts;
  /** Messages that came back, by type. */
  readonly messages: Counts;
}

export interface Target {
  readonly port: number;
  readonly told: Told;
  /** A token of a user by number. */
  token(user: number): string;
  fault(sentence: string): void;
}

/**
 * Sends the frames of a script, over as many connections as it takes: each frame is followed by a ping with its number, so
 * that the pongs tell how far the server has read. A frame that ends its connection is done; those behind it go over the next one.
 *
 * @returns how many frames the server has read
 */
export async function attack(target: Target, script: Script): Promise<number> {
  let done = 0;
  while (done < script.frames.length) {
    const read = await new Attack(target, script, done).run();
    if (read === undefined) return done;
    // The first frame that was not confirmed was read, and ended the connection: or it would have been confirmed.
    done += Math.max(1, read);
  }
  return done;
}

/** A client's own name, by which presence knows it again: of every user's number another. */
function instanceOf(user: number): string {
  return user.toString(36).padStart(22, "i");
}

/** One connection. */
class Attack {
  readonly #target: Target;
  readonly #script: Script;
  readonly #from: number;
  readonly #socket: Socket;
  readonly #reader = new Reader();
  /** Frames of the script that this connection has sent, and those that the server has read. */
  #sent = 0;
  #confirmed = 0;
  /** `hello` is answered, or will not be said. */
  #begun = false;
  /** The server's close, once it has come. */
  #closed: string | undefined;
  /** This side has begun to end the connection. */
  #leaving = false;
  #waiting = false;
  #end: () => void = () => {};

  constructor(target: Target, script: Script, from: number) {
    this.#target = target;
    this.#script = script;
    this.#from = from;
    this.#socket = connect(target.port, "127.0.0.1");
    this.#socket.setNoDelay(true);
  }

  /** @returns how many frames were confirmed; undefined where there was no connection to be had */
  async run(): Promise<number | undefined> {
    const socket = this.#socket;
    let failed: string | undefined;
    const patience = setTimeout(() => {
      this.#target.fault(
        `a connection did not answer or end within ${PATIENCE} ms (${this.#confirmed} frames confirmed)`,
      );
      socket.destroy();
    }, PATIENCE);
    await new Promise<void>((resolve) => {
      this.#end = resolve;
      socket.once("close", () => resolve());
      socket.on("error", (error: NodeJS.ErrnoException) => {
        failed = error.code;
      });
      socket.on("data", (bytes) => {
        for (const frame of this.#reader.take(bytes)) if (this.#closed === undefined) this.#hear(frame);
        if (this.#reader.status === 101 && this.#closed === undefined) this.#goOn();
      });
      socket.write(this.#opening());
    });
    clearTimeout(patience);
    if (!socket.destroyed) socket.resetAndDestroy();
    this.#target.told.connections++;
    if (this.#reader.status !== 101) {
      count(this.#target.told.closes, `no connection: ${failed ?? this.#reader.status}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
      return failed === "ECONNREFUSED" ? undefined : 0;
    }
    count(this.#target.told.closes, this.#closed ?? (this.#leaving ? "left" : "cut"));
    return this.#confirmed;
  }

  #opening(): Buffer {
    const { codec, authenticated, user } = this.#script;
    const request = [
      "GET /ws HTTP/1.1",
      "Host: 127.0.0.1",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Protocol: ${CODECS[codec].subprotocol}`,
      "\r\n",
    ].join("\r\n");
    this.#begun = !authenticated;
    if (!authenticated) return Buffer.from(request);
    const hello = CODECS[codec].encode({
      type: "hello",
      id: HELLO,
      token: this.#target.token(user),
      instance: { secret: instanceOf(user), connection: this.#from + 1 },
    });
    const payload = Buffer.from(CODECS[codec].join([hello]) as string);
    return Buffer.concat([
      Buffer.from(request),
      frameOf(payload, { opcode: codec === "json" ? TEXT : BINARY, mask: 1 }),
    ]);
  }

  /** Sends the next frames once the server has read the last ones, and ends the connection after all of them. */
  #goOn(): void {
    const left = this.#script.frames.slice(this.#from);
    const last = left.at(-1)?.last === true && this.#sent === left.length ? 1 : 0;
    if (!this.#begun || this.#waiting || this.#leaving || this.#confirmed < this.#sent - last) return;
    const { pause } = this.#script;
    this.#waiting = true;
    const next = () => {
      this.#waiting = false;
      if (this.#closed !== undefined || this.#socket.destroyed) return;
      if (this.#sent === left.length) this.#conclude(left.length, last === 1);
      else this.#send(left.slice(this.#sent, this.#sent + PORTION));
    };
    if (pause > 0 && this.#sent > 0) setTimeout(next, pause);
    else next();
  }

  #send(portion: Script["frames"]): void {
    const bytes = portion.flatMap(({ bytes, last }) => {
      const number = Buffer.alloc(4);
      number.writeUInt32BE(++this.#sent);
      return last ? [bytes] : [bytes, frameOf(number, { opcode: PING })];
    });
    this.#socket.write(Buffer.concat(bytes));
    // What comes last may be waited for in vain.
    if (portion.at(-1)?.last === true) this.#goOn();
  }

  #hear({ opcode, payload }: Heard): void {
    switch (opcode) {
      case PONG:
        // A mutated ping is answered, too: with what is no number of ours.
        if (payload.length === 4 && payload.readUInt32BE(0) <= this.#sent) this.#confirmed = payload.readUInt32BE(0);
        break;
      case CLOSE:
        return this.#finish(payload.length < 2 ? "1005" : `${payload.readUInt16BE(0)}`);
      case TEXT:
      case BINARY:
        this.#read(opcode, payload);
        break;
      default:
        this.#target.fault(`the server sent a frame of opcode ${opcode}`);
    }
  }

  #read(opcode: number, payload: Buffer): void {
    const { told, fault } = this.#target;
    const codec = CODECS[this.#script.codec];
    if ((opcode === TEXT) !== (this.#script.codec === "json")) return fault("the server answered in another codec");
    for (const message of codec.decode(opcode === TEXT ? payload.toString() : payload)) {
      const parsed = v.safeParse(ServerMessageSchema, message);
      if (!parsed.success) {
        fault(`the server said what is no message: ${JSON.stringify(message).slice(0, 400)}`);
        continue;
      }
      const { type } = parsed.output;
      count(told.messages, type);
      if (type === "welcome") this.#begun = true;
      if (parsed.output.type !== "error") continue;
      const { id, code, message: sentence } = parsed.output;
      if (id === HELLO && !this.#begun) fault(`a right hello was answered ${code}: ${sentence}`);
      count(told.codes, code);
      if (!isErrorCode(code) || code === "internal") fault(`the server answered ${code}`);
      if (/\n\s+at |node_modules|\.[jt]s:\d/.test(sentence)) fault(`the server showed its inside: ${sentence}`);
    }
  }

  /** Ends the connection from this side, once everything was read. */
  #conclude(frames: number, last: boolean): void {
    const { ending } = this.#script;
    this.#leaving = true;
    this.#confirmed = frames;
    // A last frame may wait for bytes that never come: the end of this side's half is the end of the connection.
    if (last || ending === "fin") this.#socket.end();
    else if (ending === "close") this.#socket.write(frameOf(Buffer.of(3, 232), { opcode: CLOSE }));
    else this.#end();
  }

  /** The server has closed: some answer as they should and wait for the end, others are gone at once. */
  #finish(code: string): void {
    this.#closed = code;
    if (this.#leaving || (code !== "1008" && this.#script.user % 4 === 0)) {
      if (!this.#leaving) this.#socket.end(frameOf(Buffer.alloc(0), { opcode: CLOSE }));
    } else this.#end();
  }
}
