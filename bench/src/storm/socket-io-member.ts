import { LeanSocket } from "../wire/lean-socket.ts";
import type { Member, MemberEvents, MemberOptions } from "./member.ts";

const PATH = "/socket.io/?EIO=4&transport=websocket";

/** Pauses of Socket.IO's own client: they double, each half as long or half as long again by chance. */
const PAUSE = { firstMs: 1_000, mostMs: 5_000, spread: 0.5 };

interface Session {
  readonly pid: string;
  /** Of the last message that it got. */
  offset: string | undefined;
}

/** A client by the rules of Socket.IO's own: connection state recovery, its pauses, and joining anew where it was not recovered. */
export class SocketIoMember implements Member {
  readonly channel: string;
  readonly #port: number;
  readonly #events: MemberEvents;
  #session: Session | undefined;
  #socket: LeanSocket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #online = true;
  #closed = false;

  constructor({ port, channel }: MemberOptions, events: MemberEvents) {
    this.channel = channel;
    this.#port = port;
    this.#events = events;
    this.#open();
  }

  cut(): void {
    this.#online = false;
    if (!this.#socket) return;
    this.#socket.destroy();
    this.#lost();
  }

  restore(): void {
    this.#online = true;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#socket?.destroy();
  }

  #open(): void {
    if (!this.#online) return this.#lost();
    const socket = new LeanSocket(
      { port: this.#port, path: PATH },
      {
        opened: () => {},
        message: (bytes, start, end) => this.#take(socket, bytes.toString("utf8", start, end)),
        closed: () => this.#lost(),
      },
    );
    this.#socket = socket;
  }

  #lost(): void {
    this.#socket = undefined;
    if (this.#closed) return;
    const pause = Math.min(PAUSE.mostMs, PAUSE.firstMs * 2 ** this.#failures++);
    const spread = 1 + PAUSE.spread * (2 * Math.random() - 1);
    this.#timer = setTimeout(() => this.#open(), Math.min(PAUSE.mostMs, pause * spread));
  }

  #take(socket: LeanSocket, packet: string): void {
    if (packet.startsWith("42")) {
      const [, payload, offset] = JSON.parse(packet.slice(2)) as [string, { seq: string }, string];
      if (this.#session) this.#session.offset = offset;
      this.#events.message(Number(payload.seq));
    } else if (packet === "2") socket.send("3");
    else if (packet.startsWith("0")) socket.send(`40${this.#session ? JSON.stringify(this.#session) : ""}`);
    else if (packet.startsWith("40")) this.#connected(socket, packet);
    else if (packet.startsWith("43")) this.#events.live();
    else this.#events.failed(new Error(`Socket.IO answered ${packet}`));
  }

  #connected(socket: LeanSocket, packet: string): void {
    const { pid } = JSON.parse(packet.slice(2)) as { pid: string };
    this.#failures = 0;
    // What was missed follows in the same flush.
    if (this.#session?.pid === pid) return this.#events.live();
    this.#session = { pid, offset: undefined };
    socket.send(`420${JSON.stringify(["join", this.channel])}`);
  }
}
