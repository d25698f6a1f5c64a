import type { Runtime, Timer } from "@tandem/runtime";
import type { Bus, BusMessage, Envelope } from "./bus.ts";

/** A node repeats its last number this often, in milliseconds: a loss is noticed without a further message. */
const BEACON_MS = 500;

/** A node not heard of for this long, in milliseconds, may have said something that was lost. */
const SILENCE_MS = 1_500;

/** A node not heard of for this long, in milliseconds, has lost its lease. */
const LEASE_MS = 3_000;

/** After a pause of its own, a node hears for this long, in milliseconds, before it judges others. */
const LISTENING_MS = 1_000;

/** A node not heard of for this long, in milliseconds, is forgotten. */
const FORGET_MS = 30_000;

/** Messages whose loss does no harm, or is noticed by who waits for them: they are not counted. */
const UNCOUNTED: ReadonlySet<BusMessage["kind"]> = new Set(["signals", "roster-wanted", "roster"]);

interface Peer {
  last: number;
  heard: number;
  silent: boolean;
  lapsed: boolean;
}

/** What a line tells. Each listener takes the messages that concern it. */
export interface LineListener {
  message?(message: BusMessage, envelope: Envelope): void;
  /** Something that a peer said, up to its message `number`, may have been missed. */
  doubt?(node: string, number: number): void;
  /** A peer's lease has lapsed: it was last heard of at `heard` (of `elapsed`). */
  lapsed?(node: string, heard: number): void;
  /** A peer is heard of again whose lease had lapsed: it has sent up to message `number` by now, at least. */
  returned?(node: string, number: number): void;
  /** This node was away for so long that the others have given it up: it goes on under a new name. */
  renewed?(): void;
}

/**
 * A node's end of the bus: numbers what it sends, and doubts what it hears. The bus is a hint; a gap in a peer's
 * numbers, a new peer, or silence means that something may have been missed.
 *
 * Its beacons are the node's lease. A node whose own beat was late by more than a lease takes a new name before it sends anything else: what
 * others have concluded from its silence stays true of the old one.
 */
export class BusLine {
  readonly #bus: Bus;
  readonly #process: string;
  readonly #runtime: Runtime;
  readonly #listeners: LineListener[] = [];
  readonly #peers = new Map<string, Peer>();
  #lease = 1;
  #number = 0;
  /** When this node was last sure of its lease. */
  #beaten: number;
  #judgesFrom = 0;
  #timer: Timer | undefined;
  #stopListening: (() => void) | undefined;

  /** @param process a name that no other process has */
  constructor(bus: Bus, process: string, runtime: Runtime) {
    this.#bus = bus;
    this.#process = process;
    this.#runtime = runtime;
    this.#beaten = runtime.elapsed();
  }

  /** The name of this node on the bus. */
  get node(): string {
    return this.#lease === 1 ? this.#process : `${this.#process}~${this.#lease}`;
  }

  /** Which lease of this process this is, from 1. */
  get lease(): number {
    return this.#lease;
  }

  /** The number of the last message sent that is counted. */
  get number(): number {
    return this.#number;
  }

  /** Has it been awake for long enough to judge others by their silence? */
  get judges(): boolean {
    return this.#runtime.elapsed() >= this.#judgesFrom;
  }

  listen(listener: LineListener): void {
    this.#listeners.push(listener);
  }

  start(): void {
    this.#beaten = this.#runtime.elapsed();
    this.#stopListening = this.#bus.listen((envelope) => this.#hear(envelope));
    this.#beat();
  }

  stop(): void {
    this.#stopListening?.();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Sends to all, or to one. */
  send(message: BusMessage, to?: string): void {
    this.#renewIfLate();
    const number = UNCOUNTED.has(message.kind) ? 0 : ++this.#number;
    this.#bus.send({ node: this.node, number, ...(to === undefined ? {} : { to }), message });
  }

  #beat(): void {
    this.#renewIfLate();
    this.#beaten = this.#runtime.elapsed();
    this.#bus.send({ node: this.node, number: this.#number, message: { kind: "beacon" } });
    if (this.judges) this.#noticeSilence();
    this.#timer = this.#runtime.timer(BEACON_MS, () => this.#beat());
  }

  #renewIfLate(): void {
    const now = this.#runtime.elapsed();
    if (now - this.#beaten <= LEASE_MS) return;
    this.#beaten = now;
    this.#judgesFrom = now + LISTENING_MS;
    this.#lease++;
    this.#number = 0;
    for (const listener of this.#listeners) listener.renewed?.();
  }

  #hear(envelope: Envelope): void {
    const { node, number, to, message } = envelope;
    if (node === this.node || (to !== undefined && to !== this.node)) return;
    const now = this.#runtime.elapsed();
    const peer = this.#peers.get(node);
    // A beacon repeats the last number; a message takes the next one.
    const awaited = peer ? peer.last + (message.kind === "beacon" ? 0 : 1) : 0;
    const returned = peer?.lapsed;
    if (peer) {
      peer.last = Math.max(peer.last, number);
      peer.heard = now;
      peer.silent = false;
      peer.lapsed = false;
    } else {
      this.#peers.set(node, { last: number, heard: now, silent: false, lapsed: false });
    }
    if (peer && returned) for (const listener of this.#listeners) listener.returned?.(node, peer.last);
    if (message.kind !== "beacon") for (const listener of this.#listeners) listener.message?.(message, envelope);
    if (!peer || number > awaited) this.#doubt(node, number);
  }

  #doubt(node: string, number: number): void {
    for (const listener of this.#listeners) listener.doubt?.(node, number);
  }

  #noticeSilence(): void {
    const now = this.#runtime.elapsed();
    for (const [node, peer] of this.#peers) {
      const silence = now - peer.heard;
      if (silence > FORGET_MS) this.#peers.delete(node);
      if (silence > SILENCE_MS && !peer.silent) {
        peer.silent = true;
        this.#doubt(node, peer.last);
      }
      if (silence > LEASE_MS && !peer.lapsed) {
        peer.lapsed = true;
        for (const listener of this.#listeners) listener.lapsed?.(node, peer.heard);
      }
    }
  }
}
