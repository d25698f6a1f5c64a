import type { ServerMessage } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Check, Link } from "./connection/link.ts";
import type { Outbox } from "./outbox/outbox.ts";

/**
 * What rides on a client's connection, and is carried over to the next one. Beside publishing and subscribing there may be more, with messages of
 * their own, that come into a page only where it uses them: their functions take a channel, and find their rider through it.
 */
export interface Rider {
  /** The messages that it takes, by type, and what it relies on in them. */
  readonly checks?: ReadonlyMap<string, Check>;
  /** A connection stands: send what is due. */
  attach(link: Link): void;
  /** The connection is gone, or the server has dropped all that was asked on it. */
  detach(): void;
  /** A turn's frames are about to be made. */
  fill?(): void;
  /** A message of its own that answers no request. */
  message?(message: ServerMessage): void;
  /** All messages of one frame were handed over. */
  frameEnd?(): void;
  /** The client was closed. */
  close(): void;
}

/** The client's one rider of a kind, made when it is first asked for. */
export type Ride = <R extends Rider>(Kind: new (runtime: Runtime, outbox: Outbox) => R) => R;
