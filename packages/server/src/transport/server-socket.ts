import type { RawData } from "ws";
import { WebSocket } from "ws";
import type { TransportEvents } from "../connection/transport.ts";
import type { ControlFrames } from "./control-frames.ts";

/** What becomes of what WebSockets say: one for all sockets of a server, told which of them it is. */
export interface SocketEvents {
  message(socket: ServerSocket, data: RawData, isBinary: boolean): void;
  /** A ping or a pong came. */
  control(socket: ServerSocket): void;
  error(socket: ServerSocket, error: Error & { code?: string }): void;
  closed(socket: ServerSocket, code: number, reason: Buffer): void;
}

/**
 * A WebSocket as `ws` makes one for a server. What it emits goes to one place by a call: listeners would be kept for each of thousands of
 * sockets, and what is known of a socket would have to be looked up.
 */
export class ServerSocket extends WebSocket {
  /** Where it comes from. */
  address = "";
  /** Its connection, once it stands. */
  connection: TransportEvents | undefined;
  /** Made with the first of its control frames. */
  controlFrames: ControlFrames | undefined;
  #events: SocketEvents | undefined;

  /** Tells all that comes from now on. */
  tell(events: SocketEvents): void {
    this.#events = events;
  }

  override emit(event: string | symbol, ...details: unknown[]): boolean {
    const events = this.#events;
    if (!events) return false;
    switch (event) {
      case "message":
        events.message(this, details[0] as RawData, details[1] as boolean);
        return true;
      case "ping":
      case "pong":
        events.control(this);
        return true;
      case "error":
        events.error(this, details[0] as Error);
        return true;
      case "close":
        events.closed(this, details[0] as number, details[1] as Buffer);
        return true;
      default:
        return false;
    }
  }
}
