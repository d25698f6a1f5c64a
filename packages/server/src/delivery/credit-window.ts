/** The window adapts between this share of its first size… */
const LEAST_SHARE = 0.25;

/** …but is never less than this, in bytes: what clients acknowledge at once. With less on the way they take their time for it. */
const LEAST_BYTES = 16_384;

/** …and this one. */
const MOST_SHARE = 4;

/** Numbers kept of a frame: its bytes, when it was sent, and what had been acknowledged by then. */
const STRIDE = 3;

/** The list of frames where there are none: most connections are idle. */
const NONE: number[] = [];

/**
 * How much may be on the way to one client without its acknowledgement. A socket's buffers hide slow readers (the kernel takes
 * megabytes), so the client says what it has processed, and no more than the window is sent beyond that.
 *
 * The window follows what the way carries: twice the rate of acknowledgement times the shortest round trip seen, as BBR
 * bounds what is in flight (Cardwell et al., "BBR: Congestion-Based Congestion Control", 2016). A fast reader far away is not
 * held back by its distance, and a slow one has little queued before an alert. Only acknowledgements that come while
 * somebody waits for room count: others tell what there was to send, not what could be carried.
 */
export class CreditWindow {
  readonly #least: number;
  readonly #most: number;
  #size: number;
  /** Frames on the way, oldest first, `STRIDE` numbers each. */
  #frames: number[] = NONE;
  #onTheWay = 0;
  #sent = 0;
  #acknowledged = 0;
  #shortest = Number.POSITIVE_INFINITY;

  /** @param bytes the window before anything is known of the way */
  constructor(bytes: number) {
    this.#least = Math.max(bytes * LEAST_SHARE, LEAST_BYTES);
    this.#most = bytes * MOST_SHARE;
    this.#size = bytes;
  }

  /** Bytes that may be on the way. */
  get size(): number {
    return this.#size;
  }

  /** Bytes that are. */
  get onTheWay(): number {
    return this.#onTheWay;
  }

  /** Bytes of the frame that is to be acknowledged next. */
  get oldest(): number {
    return this.#frames[0] ?? 0;
  }

  /** Frames sent so far. */
  get sent(): number {
    return this.#sent;
  }

  /** A frame was handed to the transport. `now`: `runtime.elapsed()`, in milliseconds. */
  send(bytes: number, now: number): void {
    this.#sent++;
    this.#onTheWay += bytes;
    if (this.#frames === NONE) this.#frames = [];
    this.#frames.push(bytes, Math.round(now), this.#acknowledged);
  }

  /**
   * The client has processed `frames` frames in all.
   *
   * @param limited somebody waits for room in the window
   * @returns how many of them are new; `undefined` when that many were never sent, or it counts backwards
   */
  acknowledge(frames: number, now: number, limited: boolean): number | undefined {
    const fresh = frames - (this.#sent - this.#frames.length / STRIDE);
    if (frames > this.#sent || fresh < 0) return undefined;
    if (fresh === 0) return 0;
    const done = this.#frames.splice(0, fresh * STRIDE);
    if (this.#frames.length === 0) this.#frames = NONE;
    let bytes = 0;
    for (let at = 0; at < done.length; at += STRIDE) bytes += done[at] ?? 0;
    this.#onTheWay -= bytes;
    this.#acknowledged += bytes;
    const [sentAt = now, before = 0] = done.slice(-2);
    const roundTrip = Math.max(1, now - sentAt);
    this.#shortest = Math.min(this.#shortest, roundTrip);
    if (limited) this.#adapt((this.#acknowledged - before) / roundTrip);
    return fresh;
  }

  /** @param rate bytes acknowledged per millisecond */
  #adapt(rate: number): void {
    this.#size = Math.min(this.#most, Math.max(this.#least, 2 * rate * this.#shortest));
  }
}
