import type { Server } from "node:http";
import type { Socket } from "node:net";

/** The TCP connections of an HTTP server, to cut them all at once. */
export class Sockets {
  readonly #open = new Set<Socket>();

  constructor(http: Server) {
    http.on("connection", (socket: Socket) => {
      this.#open.add(socket);
      socket.once("close", () => this.#open.delete(socket));
    });
  }

  /** Destroys all of them. @returns how many there were */
  cut(): number {
    const { size } = this.#open;
    for (const socket of this.#open) socket.resetAndDestroy();
    return size;
  }
}
