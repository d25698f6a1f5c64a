import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The TCP connections of an HTTP server, to cut them all at once. */
export class Sockets {
  readonly #open = new Set<Socket>();

  constructor(http: Server) {
    const open = this.#open;
    // One function for all: what this costs for each connection counts as the measured system's own.
    function forget(this: Socket): void {
      open.delete(this);
    }
    http.on("connection", (socket: Socket) => void open.add(socket.on("close", forget)));
  }

  /** Destroys all of them. @returns how many there were */
  cut(): number {
    const { size } = this.#open;
    for (const socket of this.#open) socket.resetAndDestroy();
    return size;
  }
}
