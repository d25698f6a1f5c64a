import type { Activity } from "@tandem/client";
import type { Store } from "@tandem/runtime";

/** Where somebody points: the data of the signal `cursor` in `tandem.config.ts`. */
export interface Place {
  readonly x: number;
  readonly y: number;
}

/** A user who is in a room, by whatever number of devices. */
export interface Member {
  readonly user: string;
  readonly name: string | undefined;
  readonly state: { readonly name: string } | undefined;
  readonly status: Activity | "reconnecting";
  readonly devices: readonly unknown[];
}

/** Another device's word; `null`: taken back, or the device has gone. */
export interface Heard<D> {
  readonly device: string;
  /** `undefined` while it is not known who that is. */
  readonly user: string | undefined;
  readonly data: D | null;
}

export interface PresenceListener {
  cursors(batch: readonly Heard<Place>[]): void;
  typing(batch: readonly Heard<true>[]): void;
}

/** What being in a room needs of its channel: the client's channels have it, and the tests' fake. */
export interface PresencePort {
  /** Is there under `name`, and hears the others, until `leave`. */
  enter(name: string, listener: PresenceListener): Attendance;
}

export interface Attendance {
  readonly members: Store<readonly Member[]>;
  /** Users that are there, told of one by one or not. */
  readonly count: Store<number>;
  /** `pending`: not known yet, or not known any more. */
  readonly status: Store<"pending" | "live" | "ended">;
  rename(name: string): void;
  /** `null`: the pointer is not in the room. */
  point(place: Place | null): void;
  type(typing: boolean): void;
  leave(): void;
}
