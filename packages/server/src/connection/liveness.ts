import type { Limits } from "@tandem/protocol";

/** A connection must have said `hello` within this, in milliseconds. */
const HANDSHAKE_MS = 10_000;

/** A connection whose token ended must bring a fresh one within this, in milliseconds. */
const REFRESH_MS = 60_000;

/** Without acknowledged progress for this long, in milliseconds, the client is asked whether it is there… */
const PROBE_MS = 15_000;

/** …and closed after this long, in milliseconds; but it has what a frame takes at 512 bytes a second, five minutes at most. */
const NO_PROGRESS_MS = 30_000;
const MS_PER_BYTE = 1_000 / 512;
const LONGEST_FRAME_MS = 300_000;

/** What a connection looks like to those who judge whether it lives. */
export interface Signs {
  readonly phase: "new" | "open" | "needs-auth";
  /** Bytes on the way without acknowledgement. */
  readonly unacknowledged: number;
  /** Bytes of the oldest frame of those. */
  readonly oldest: number;
  /** Bytes that the socket has not taken. */
  readonly buffered: number;
}

type Verdict = "ping" | "handshake-timeout" | "needs-auth-timeout" | "ping-timeout" | "no-progress" | undefined;

/** Judges from a connection's signs of life whether it goes on. Knows times only; acts on nothing. */
export class Liveness {
  readonly #limits: Pick<Limits, "pingMs" | "pongMs">;
  readonly #opened: number;
  #heard: number;
  #pinged: number | undefined;
  #progressed: number;
  #buffered = 0;
  #probed = false;
  #suspended: number | undefined;

  /** @param at `runtime.elapsed()`, as every `now` here: kept as whole numbers, which take no memory of their own */
  constructor(limits: Pick<Limits, "pingMs" | "pongMs">, at: number) {
    const now = Math.round(at);
    this.#limits = limits;
    this.#opened = now;
    this.#heard = now;
    this.#progressed = now;
  }

  /** A frame came. */
  heard(now: number): void {
    this.#heard = Math.round(now);
    this.#pinged = undefined;
  }

  /** The client acknowledged frames that it had not acknowledged before. */
  progressed(now: number): void {
    this.#progressed = Math.round(now);
    this.#probed = false;
  }

  suspended(now: number): void {
    this.#suspended = now;
  }

  refreshed(): void {
    this.#suspended = undefined;
  }

  judge(now: number, signs: Signs): Verdict {
    if (signs.phase === "new") return now - this.#opened > HANDSHAKE_MS ? "handshake-timeout" : undefined;
    if (this.#suspended !== undefined && now - this.#suspended > REFRESH_MS) return "needs-auth-timeout";
    if (this.#pinged !== undefined && now - this.#pinged > this.#limits.pongMs) return "ping-timeout";
    // Bytes that the socket took are progress too: one large frame may take a slow reader a while.
    if (signs.unacknowledged === 0 || signs.buffered < this.#buffered) this.progressed(now);
    this.#buffered = signs.buffered;
    const still = now - this.#progressed;
    const patience = Math.max(NO_PROGRESS_MS, Math.min(signs.oldest * MS_PER_BYTE, LONGEST_FRAME_MS));
    if (still > patience) return "no-progress";
    // A pong would have to wait behind what is on the way: there progress tells.
    const free = signs.unacknowledged === 0 && this.#pinged === undefined;
    const silent = free && now - this.#heard > this.#limits.pingMs;
    const stuck = still > PROBE_MS && !this.#probed;
    if (!silent && !stuck) return undefined;
    this.#probed = this.#probed || stuck;
    if (silent) this.#pinged = now;
    return "ping";
  }
}
