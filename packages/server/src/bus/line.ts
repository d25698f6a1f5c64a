import type { Runtime, Timer } from "@tandem/runtime";
import type { Bus, BusMessage, Envelope } from "./bus.ts";

/** A node repeats its last number this often, in milliseconds: a loss is noticed without a further message. */
const BEACON_MS = 500;

/** A node not heard of for this long, in milliseconds, may have said something that was lost. */
const SILENCE_MS = 1_500;

/** A node not heard of for this long, in milliseconds, is forgotten. */
const FORGET_MS = 30_000;

interface Peer {
  last: number;
  heard: number;
  silent: boolean;
}

/**
 * A node's end of the bus: numbers what it sends, and doubts what it hears. The bus is a hint; a gap in a peer's
 * numbers, a new peer, or silence means that something may have been missed, and that the heads are to be read.
 */
export class BusLine {
  readonly #bus: Bus;
  readonly #node: string;
  readonly #runtime: Runtime;
  readonly #onMessage: (message: BusMessage) => void;
  readonly #onDoubt: () => void;
  readonly #peers = new Map<string, Peer>();
  #number = 0;
  #timer: Timer | undefined;
  #stopListening: (() => void) | undefined;

  constructor(bus: Bus, node: string, runtime: Runtime, onMessage: (message: BusMessage) => void, onDoubt: () => void) {
    this.#bus = bus;
    this.#node = node;
    this.#runtime = runtime;
    this.#onMessage = onMessage;
    this.#onDoubt = onDoubt;
  }

  start(): void {
    this.#stopListening = this.#bus.listen((envelope) => this.#hear(envelope));
    this.#beat();
  }

  stop(): void {
    this.#stopListening?.();
    this.#timer?.cancel();
  }

  send(message: BusMessage): void {
    this.#number++;
    this.#bus.send({ node: this.#node, number: this.#number, message });
  }

  #beat(): void {
    this.#bus.send({ node: this.#node, number: this.#number, message: { kind: "beacon" } });
    this.#noticeSilence();
    this.#timer = this.#runtime.timer(BEACON_MS, () => this.#beat());
  }

  #hear(envelope: Envelope): void {
    const { node, number, message } = envelope;
    if (node === this.#node) return;
    const now = this.#runtime.elapsed();
    const peer = this.#peers.get(node);
    // A beacon repeats the last number; a message takes the next one.
    const awaited = peer ? peer.last + (message.kind === "beacon" ? 0 : 1) : 0;
    if (peer) {
      peer.last = Math.max(peer.last, number);
      peer.heard = now;
      peer.silent = false;
    } else {
      this.#peers.set(node, { last: number, heard: now, silent: false });
    }
    if (message.kind !== "beacon") this.#onMessage(message);
    if (!peer || number > awaited) this.#onDoubt();
  }

  #noticeSilence(): void {
    const now = this.#runtime.elapsed();
    for (const [node, peer] of this.#peers) {
      if (now - peer.heard > FORGET_MS) this.#peers.delete(node);
      else if (!peer.silent && now - peer.heard > SILENCE_MS) {
        peer.silent = true;
        this.#onDoubt();
      }
    }
  }
}
