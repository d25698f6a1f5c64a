import type { Refusal } from "./handshake.ts";
import { refuse } from "./handshake.ts";

/** Seconds after which one who was turned away may try again. */
const RETRY = { "Retry-After": "5" };

/** The room that a server has for connections, whichever transport they come by. */
export class Room {
  readonly #most: number;
  #taken = 0;
  #draining = false;

  /** @param most connections at one time */
  constructor(most: number) {
    this.#most = most;
  }

  /** Connections that are open now. */
  get taken(): number {
    return this.#taken;
  }

  /** Why nobody else may come in, if so. */
  get refusal(): Refusal | undefined {
    if (this.#draining) return refuse(503, "shutting-down", "shutting-down: the server is being stopped.", RETRY);
    if (this.#taken < this.#most) return undefined;
    return refuse(503, "server-full", "server-full: the server has as many connections as it may.", RETRY);
  }

  enter(): void {
    this.#taken++;
  }

  leave(): void {
    this.#taken--;
  }

  /** Takes nobody from now on. */
  drain(): void {
    this.#draining = true;
  }
}
