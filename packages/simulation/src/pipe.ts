import type { Clock, Entry } from "./clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";

/** What a direction of a connection is like. */
export interface Conditions {
  /** Mean time a frame travels, in milliseconds; it varies around it. */
  latency: number;
  /** Bytes a millisecond. */
  bandwidth: number;
  /** Bytes that the network holds between sender and reader; what is more waits with the sender. */
  readonly capacity: number;
}

/** A frame, or the end of the connection, on its way. */
export type Parcel =
  | { readonly kind: "frame"; readonly bytes: Uint8Array }
  | { readonly kind: "close"; readonly code: number; readonly reason: string };

interface Flight {
  readonly parcel: Parcel;
  entry: Entry;
}

/** One direction of a connection: keeps the order, loses nothing until it is cut. */
export class Pipe {
  readonly conditions: Conditions;
  readonly #usual: number;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #reader: Process;
  readonly #deliver: (parcel: Parcel) => void;
  readonly #waiting: Parcel[] = [];
  readonly #flights: Flight[] = [];
  #waitingBytes = 0;
  #travelling = 0;
  #departure = 0;
  #arrival = 0;
  #cut = false;

  constructor(
    clock: Clock,
    random: Random,
    reader: Process,
    conditions: Conditions,
    deliver: (parcel: Parcel) => void,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.#reader = reader;
    this.conditions = conditions;
    this.#usual = conditions.bandwidth;
    this.#deliver = deliver;
  }

  /** Bytes that the network has not taken from the sender yet. */
  get buffered(): number {
    return this.#waitingBytes;
  }

  send(parcel: Parcel): void {
    if (this.#cut) {
      // Nobody told the sender: what it writes piles up until someone does.
      this.#waitingBytes += sizeOf(parcel);
      return;
    }
    this.#waiting.push(parcel);
    this.#waitingBytes += sizeOf(parcel);
    this.#pump();
  }

  /** What has not arrived by now is lost, and so is all that follows. */
  cut(): void {
    this.#cut = true;
    this.#waiting.length = 0;
  }

  /** The way becomes narrow, or (without a number) as wide as it was: what is on it feels it too. */
  narrow(bandwidth: number = this.#usual): void {
    this.conditions.bandwidth = bandwidth;
    this.#departure = this.#clock.now;
    this.#arrival = this.#clock.now;
    for (const flight of this.#flights) {
      flight.entry.action = undefined;
      flight.entry = this.#send(flight);
    }
  }

  #pump(): void {
    for (;;) {
      const parcel = this.#waiting[0];
      if (!parcel) return;
      const size = sizeOf(parcel);
      if (this.#travelling > 0 && this.#travelling + size > this.conditions.capacity) return;
      this.#waiting.shift();
      this.#waitingBytes -= size;
      this.#travelling += size;
      const flight = { parcel } as Flight;
      flight.entry = this.#send(flight);
      this.#flights.push(flight);
    }
  }

  #send(flight: Flight): Entry {
    const { bandwidth, latency } = this.conditions;
    this.#departure = Math.max(this.#departure, this.#clock.now) + sizeOf(flight.parcel) / bandwidth;
    this.#arrival = Math.max(this.#arrival, this.#departure + latency * this.#random.between(0.5, 1.5));
    return this.#clock.after(this.#arrival - this.#clock.now, this.#reader, () => this.#arrive(flight));
  }

  #arrive(flight: Flight): void {
    if (this.#cut) return;
    // In order: it is the oldest.
    this.#flights.shift();
    this.#travelling -= sizeOf(flight.parcel);
    this.#deliver(flight.parcel);
    this.#pump();
  }
}

/** Header bytes of a frame on the wire are counted too, so that empty ones cost something. */
function sizeOf(parcel: Parcel): number {
  return parcel.kind === "frame" ? parcel.bytes.length + 8 : 8;
}
