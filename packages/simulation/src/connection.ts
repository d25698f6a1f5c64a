import type { Codec, Encoded, ServerMessage } from "@tandem/protocol";
import type { Transport, TransportEvents } from "@tandem/server/core";
import type { Clock } from "./clock.ts";
import type { Conditions, Parcel } from "./pipe.ts";
import { Pipe } from "./pipe.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** The client's end of a connection. Frames come as bytes, whatever the codec. */
export interface ClientEnd {
  opened(): void;
  frame(bytes: Uint8Array): void;
  /** The last call. */
  closed(code: number, reason: string): void;
}

/** What a node shows to the network. */
export interface Listener {
  readonly process: Process;
  accept(transport: Transport): TransportEvents;
}

/** Watches a connection's traffic, for the checker and the trace. */
export interface Wiretap {
  /** A node is about to take a connection. */
  accepted(connection: Connection): void;
  /** The node hands a frame to its socket. @param messages what it says, where that is known already */
  sending(connection: Connection, bytes: Uint8Array, messages?: readonly ServerMessage[]): void;
  /** The node has handed over all that it had to. */
  flushed(connection: Connection): void;
  /** A frame of the client reaches the node. @param frame the same, as the codec has it */
  arriving(connection: Connection, bytes: Uint8Array, frame: Encoded): void;
  /** A frame reaches the client. */
  received(connection: Connection, bytes: Uint8Array): void;
  /** The node lets the connection go. */
  leaving(connection: Connection): void;
  /** The node knows of the connection's end, or is no more. */
  gone(connection: Connection): void;
}

/** A closing handshake that is not answered is given up after this long, in milliseconds. */
const CLOSE_TIMEOUT = 10_000;

const decoder = new TextDecoder();

/** One virtual connection between a client and a node, whatever carries it, as faults and the checker see it. */
export interface Connection {
  readonly number: number;
  readonly client: Process;
  readonly node: Process;
  readonly codec: Codec;
  readonly down: Pipe;
  /** It asks for something beside the client's own connection. */
  readonly side: boolean;
  /** What is answered may be held back. */
  readonly holds: boolean;
  /** The close code with which its end was told to the node. */
  readonly endedWith: number | undefined;
  /** Does it carry anything still? */
  readonly whole: boolean;
  /**
   * The way between them is lost, with all that is on it. Each side is told after so many milliseconds, or never: then
   * only its own care finds it out.
   */
  cut(tellClient: number | undefined, tellNode: number | undefined): void;
  /** The client's process is gone: its machine tells the node. */
  clientGone(tellNode: number): void;
  /** The node's process is gone: its machine tells the client, or nobody does. */
  nodeGone(tellClient: number | undefined): void;
}

/** A virtual WebSocket, from the moment the node accepted it. */
export class SocketConnection implements Connection {
  readonly number: number;
  readonly client: Process;
  readonly node: Process;
  readonly up: Pipe;
  readonly down: Pipe;
  readonly codec: Codec;
  readonly side = false;
  readonly holds = false;
  readonly #clock: Clock;
  readonly #end: ClientEnd;
  readonly #tap: Wiretap;
  readonly #events: TransportEvents;
  #clientTold = false;
  #nodeTold = false;
  /** Who has said goodbye. One that is answered ends the connection. */
  #clientClosing = false;
  #nodeClosing = false;
  #severed = false;
  #endedWith: number | undefined;

  constructor(options: {
    number: number;
    clock: Clock;
    random: Random;
    client: Process;
    listener: Listener;
    codec: Codec;
    end: ClientEnd;
    tap: Wiretap;
    upward: Conditions;
    downward: Conditions;
  }) {
    const { clock, random, client, listener } = options;
    this.number = options.number;
    this.client = client;
    this.node = listener.process;
    this.codec = options.codec;
    this.#clock = clock;
    this.#end = options.end;
    this.#tap = options.tap;
    this.up = new Pipe(clock, random, this.node, options.upward, (parcel) => this.#reachNode(parcel));
    this.down = new Pipe(clock, random, client, options.downward, (parcel) => this.#reachClient(parcel));
    this.#tap.accepted(this);
    this.#events = listener.accept(this.#transport());
  }

  get endedWith(): number | undefined {
    return this.#endedWith;
  }

  get whole(): boolean {
    return !this.#severed;
  }

  /** The client's socket: sends a frame. */
  send(bytes: Uint8Array): void {
    if (this.client.alive && !this.#clientTold && !this.#clientClosing) this.up.send({ kind: "frame", bytes });
  }

  /** The client's socket: closes, in order after what was sent. The answer of the other side ends it. */
  close(code: number, reason: string): void {
    if (this.#clientTold || this.#clientClosing) return;
    this.#clientClosing = true;
    this.up.send({ kind: "close", code, reason });
    this.#clock.after(CLOSE_TIMEOUT, this.client, () => this.#tellClient(code, reason));
  }

  cut(tellClient: number | undefined, tellNode: number | undefined): void {
    this.#sever();
    if (tellClient !== undefined) this.#clock.after(tellClient, this.client, () => this.#tellClient(1006, ""));
    if (tellNode !== undefined) this.#clock.after(tellNode, this.node, () => this.#tellNode(1006, ""));
  }

  clientGone(tellNode: number): void {
    this.#clientTold = true;
    this.cut(undefined, tellNode);
  }

  nodeGone(tellClient: number | undefined): void {
    this.#nodeTold = true;
    this.cut(tellClient, undefined);
    this.#tap.gone(this);
  }

  #transport(): Transport {
    return {
      codec: this.codec,
      address: this.client.name,
      send: ({ payload: bytes }) => {
        if (this.#nodeTold || this.#nodeClosing || !this.node.alive) return;
        this.#tap.sending(this, bytes);
        this.down.send({ kind: "frame", bytes });
      },
      flush: () => this.#tap.flushed(this),
      buffered: () => this.down.buffered,
      close: (code, reason) => {
        if (this.#nodeTold || this.#nodeClosing || !this.node.alive) return;
        this.#nodeClosing = true;
        this.#tap.leaving(this);
        this.down.send({ kind: "close", code, reason });
        this.#clock.after(CLOSE_TIMEOUT, this.node, () => this.#tellNode(1006, ""));
      },
      destroy: () => {
        if (this.#nodeTold || !this.node.alive) return;
        this.#tap.leaving(this);
        this.cut(5, 0);
      },
    };
  }

  #reachNode(parcel: Parcel): void {
    if (parcel.kind === "close") {
      if (!this.#nodeClosing) this.down.send(parcel);
      this.#tellNode(parcel.code, parcel.reason);
      return;
    }
    if (this.#nodeTold) return;
    const frame = this.codec.name === "json" ? decoder.decode(parcel.bytes) : parcel.bytes;
    this.#tap.arriving(this, parcel.bytes, frame);
    this.#events.frame(frame);
  }

  #reachClient(parcel: Parcel): void {
    if (parcel.kind === "close") {
      if (!this.#clientClosing) this.up.send(parcel);
      this.#tellClient(parcel.code, parcel.reason);
      return;
    }
    if (this.#clientTold) return;
    this.#tap.received(this, parcel.bytes);
    this.#end.frame(parcel.bytes);
  }

  #tellClient(code: number, reason: string): void {
    if (this.#clientTold) return;
    this.#clientTold = true;
    this.#end.closed(code, reason);
  }

  #tellNode(code: number, reason: string): void {
    if (this.#nodeTold) return;
    this.#nodeTold = true;
    this.#endedWith = code;
    this.#tap.gone(this);
    this.#events.closed(code, reason);
  }

  #sever(): void {
    this.#severed = true;
    this.up.cut();
    this.down.cut();
  }
}
