import type { ClientMessage, ServerMessage } from "@tandem/protocol";
import type { Dialogue, Flush } from "./dialogue.ts";

/**
 * Watches one concern of what is said on all connections, at the moment it is said. It is told of a message before the dialogue
 * moves on with it: it sees how things stood.
 */
export interface Watcher {
  /** A node takes a connection. */
  begun?(dialogue: Dialogue): void;
  /** A client's message has reached its node. */
  asked?(dialogue: Dialogue, message: ClientMessage): void;
  /** A node hands a message to its socket. @param request what it answers */
  told?(dialogue: Dialogue, message: ServerMessage, request: ClientMessage | undefined): void;
  /** A node has handed over everything that was queued for a connection. */
  flushed?(dialogue: Dialogue, flush: Flush): void;
  /** A node lets a connection go, or learns that it is gone. May be told twice. */
  ended?(dialogue: Dialogue): void;
  /** The schedule is over: what needed the whole is looked at now. */
  conclude?(): void;
}
