import type { Activity } from "@tandem/protocol";

/** How a device's connection stands: there, lost a moment ago, or gone with a goodbye. */
export type Phase = "here" | "lost" | "left";

/** Where a device is connected, by the word of the node that holds the connection. */
export interface Place {
  /** Which connection of the device, from 1. */
  readonly connection: number;
  /** The `seq` of what its client said when it entered or left. */
  readonly turn: number;
  /** Which lease of the node's process, from 1. */
  readonly lease: number;
  readonly phase: Phase;
  /** With `lost`: milliseconds since then. */
  readonly lostFor?: number;
  /** When the device came, by the clock of the node that it came to. */
  readonly since: number;
  readonly name?: string;
}

/** What a node says of one device in one channel. */
export interface PresenceWord {
  readonly device: string;
  readonly user: string;
  /** Of what its client says of itself, the newest counts. */
  readonly seq: number;
  /** JSON text, as the schema gave it; left out where there is none. */
  readonly state?: string;
  readonly activity: Activity;
  /** Left out by a node that does not hold the device's connection: it was told of the state by another way. */
  readonly place?: Place;
}

/** A device's newest signal of one key, as JSON text. `null`: taken back. */
export type SignalWord = readonly [device: string, key: string, seq: number, json: string];
