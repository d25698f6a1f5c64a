import { channel, defineApp } from "@tandem/app";
import { chat, counter, job, lock, records, vote } from "@tandem/model";
import { closeCodeOf, ERRORS, isErrorCode } from "@tandem/protocol";
import { nodeRuntime } from "@tandem/runtime/node";
import * as v from "valibot";
import { expect, onTestFinished } from "vitest";
import type { MintToken } from "../../access/jwt-token.ts";
import { mintToken } from "../../access/jwt-token.ts";
import { createMemoryLog } from "../../log/memory.ts";
import type { Server, ServerOptions } from "../../server.ts";
import { createServer } from "../../server.ts";
import { Control } from "./control.fixture.ts";
import type { Handshake } from "./raw-socket.fixture.ts";
import { CLOSE, handshake, RawSocket, TEXT } from "./raw-socket.fixture.ts";

export const SECRET = "a secret of thirty-two bytes or more";

const app = defineApp({
  guests: { grants: { "room:lobby": ["read", "publish"] } },
  channels: {
    room: channel({ events: { message: v.object({ text: v.string() }) } }),
    open: channel({ events: { message: v.unknown() } }),
    hall: channel({
      events: {},
      presence: { state: v.object({ page: v.number() }) },
      signals: { cursor: v.object({ x: v.number() }) },
    }),
    desk: channel({
      events: { saved: v.object({ text: v.string() }) },
      models: {
        board: records({
          collections: {
            cards: { schema: v.object({ title: v.string(), more: v.unknown() }), policies: { title: "refuse" } },
          },
        }),
        votes: vote(),
        locks: lock(),
        jobs: job({ cancel: "starter", lease: 1_000, grace: 1_000 }),
        chat: chat(),
        count: counter({ least: 0 }),
      },
      protect: (write) => ("event" in write ? "locks/draft" : undefined),
    }),
  },
});

/** Close codes that a connection may end with: those of RFC 6455 that the server sends, and those of the error table. */
const CLOSE_CODES = new Set<number | undefined>([
  1000,
  1002,
  1005,
  1007,
  1008,
  1009,
  ...Object.keys(ERRORS).map((code) => (isErrorCode(code) ? closeCodeOf(code) : undefined)),
]);

/** A line that was logged. */
interface Line {
  readonly noise?: string;
  readonly [field: string]: unknown;
}

/** A real server on a port of its own, hostile sockets, and a control client that has to lose nothing. */
export class Stage {
  readonly server: Server;
  readonly port: number;
  readonly control: Control;
  /** What was logged at `warn` and above, as an operator's log would have it: noise once per kind and interval. */
  readonly lines: Line[];
  readonly #sockets: RawSocket[] = [];

  constructor(server: Server, port: number, control: Control, lines: Line[]) {
    this.server = server;
    this.port = port;
    this.control = control;
    this.lines = lines;
  }

  /** A TCP connection that has said nothing. */
  connect(): RawSocket {
    const socket = new RawSocket(this.port);
    this.#sockets.push(socket);
    return socket;
  }

  /** A connection that has sent its handshake. */
  knock(request: Handshake = {}): RawSocket {
    const socket = this.connect();
    socket.write(handshake(request));
    return socket;
  }

  /** A WebSocket that is open, and has not said `hello`. */
  async open(subprotocol = "tandem.v1.json"): Promise<RawSocket> {
    const socket = this.knock({ headers: { "Sec-WebSocket-Protocol": subprotocol } });
    expect(await socket.status()).toBe(101);
    return socket;
  }

  /** A WebSocket whose user was admitted. Request id 1 is used. */
  async enter(user = "mallory", more: Partial<MintToken> = {}): Promise<RawSocket> {
    const socket = await this.open();
    const instance = { secret: "i".repeat(22), connection: 1 };
    socket.say({ type: "hello", id: 1, token: await token(user, more), instance });
    expect(await socket.told(1)).toMatchObject({ type: "welcome", user });
    return socket;
  }

  /** Holds what holds after every attack. */
  async end(): Promise<void> {
    await this.control.lostNothing();
    for (const socket of this.#sockets) {
      expect(socket.everything).not.toMatch(/\n\s+at \S+|node_modules|\.[jt]s:\d+/);
      for (const { opcode, payload } of socket.frames) {
        const code = opcode === CLOSE && payload.length >= 2 ? payload.readUInt16BE(0) : 1005;
        if (code !== socket.closedWith) expect(CLOSE_CODES).toContain(code);
        if (opcode !== TEXT) continue;
        for (const message of JSON.parse(payload.toString()))
          if (message.type === "error") expect(isErrorCode(message.code)).toBe(true);
      }
      socket.socket.destroy();
    }
    // One line of a kind at most: what was left out is counted in the next one, ten seconds later.
    const kinds = this.lines.map((line) => line.noise ?? line);
    expect(kinds).toEqual([...new Set(kinds)].filter((kind) => typeof kind === "string"));
  }
}

/** A token that the stage's server takes, with rights to everything unless told otherwise. */
export function token(user: string, more: Partial<MintToken> = {}): Promise<string> {
  return mintToken({ secret: SECRET, user, grants: { "*": ["read", "publish"] }, ...more });
}

/** A server with its control client, whose token holds `claims`; ends with the test, and is checked then. */
export async function stage(options: ServerOptions = {}, claims: Partial<MintToken> = {}): Promise<Stage> {
  const lines: Line[] = [];
  const runtime = nodeRuntime({ level: "warn", to: { write: (line) => void lines.push(JSON.parse(line)) } });
  const server = await createServer(app, { log: createMemoryLog(), secret: SECRET, port: 0, runtime, ...options });
  const { port } = await server.listen();
  const control = new Control(`ws://127.0.0.1:${port}/ws`, await token("control", claims));
  const made = new Stage(server, port, control, lines);
  onTestFinished(async () => {
    try {
      await made.end();
    } finally {
      await server.close();
    }
  });
  await control.start();
  return made;
}
