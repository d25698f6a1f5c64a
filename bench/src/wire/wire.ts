import type { Lane } from "@tandem/protocol";
import type { System } from "../measured/measured-server.ts";
import { PlainWire } from "./plain-wire.ts";
import { SocketIoWire } from "./socket-io-wire.ts";
import { TandemWire } from "./tandem-wire.ts";

export interface WireOptions {
  readonly port: number;
  /** The one channel that it reads. */
  readonly channel: string;
  /** Where a system has lanes. */
  readonly lane?: Lane;
  /** Bytes a second that it reads. Default: as fast as they come. */
  readonly bytesPerSecond?: number;
}

export interface WireEvents {
  /** The subscription stands: what is published from now on comes. */
  standing(): void;
  /** One message with payloads: `bytes` from `start` to `end`, to be read before this call returns. */
  message(bytes: Buffer, start: number, end: number): void;
  /** The connection is gone, or what came cannot be. The last call. */
  failed(error: Error): void;
}

/** A client of one system that costs next to nothing: it subscribes to a channel and says on the wire what it must. */
export interface Wire {
  /** Publishes to its channel, if it is the system's way that clients do. `acknowledged` is called when the server has taken it. */
  publish(payload: object, acknowledged: () => void): void;
  /** Reads as fast as it can from now on. */
  hurry(): void;
  destroy(): void;
}

/** Connects in a system's own way. */
export function connectWire(system: System, options: WireOptions, events: WireEvents): Wire {
  switch (system) {
    case "tandem":
      return new TandemWire(options, events);
    case "socket.io":
      return new SocketIoWire(options, events);
    case "ws":
    case "bun":
      return new PlainWire(options, events);
  }
}
