import { errorOf, TandemError } from "@tandem/protocol";
import type { Timer } from "@tandem/runtime";
import type { Identity } from "../access/authenticator.ts";
import type { ConnectionPorts } from "./connection.ts";
import { Connection } from "./connection.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** Every connection is looked at this often, in milliseconds: one timer for all, none per connection. */
const PULSE_MS = 1_000;

/** While it drains, a node looks this often, in milliseconds, whether everything begun is finished. */
const DRAIN_LOOK_MS = 50;

/** The connections of one node. */
export class Connections {
  readonly #ports: ConnectionPorts;
  readonly #connections = new Set<Connection>();
  /** What connections call when they are closed: one function for all that have a place, and one for those that were turned away. */
  readonly #departed: (connection: Connection) => void;
  readonly #turnedAway: (connection: Connection) => void;
  #timer: Timer | undefined;
  #draining = false;

  constructor(ports: ConnectionPorts) {
    this.#ports = ports;
    this.#departed = (connection) => {
      this.#connections.delete(connection);
      ports.turnstile.depart(connection.transport.address);
    };
    this.#turnedAway = (connection) => void this.#connections.delete(connection);
  }

  get size(): number {
    return this.#connections.size;
  }

  start(): void {
    this.#timer = this.#ports.runtime.timer(PULSE_MS, () => {
      for (const connection of this.#connections) connection.pulse();
      this.start();
    });
  }

  /**
   * Takes a new connection. One too many from its address is closed with a code of its own, not turned down before it stands: of that,
   * a page could not tell why, nor when to come back.
   */
  accept(transport: Transport): TransportEvents {
    const refusal = this.#ports.turnstile.arrive(transport.address);
    const connection = new Connection(transport, this.#ports, refusal ? this.#turnedAway : this.#departed);
    this.#connections.add(connection);
    if (refusal) connection.close(refusal);
    else if (this.#draining) connection.close(errorOf("shutting-down", { retryAfter: 1_000 }));
    return connection;
  }

  /** Asks those whom it concerns for a fresh token: theirs was revoked. */
  revoke(isRevoked: (identity: Identity) => boolean): void {
    for (const connection of this.#connections) {
      if (connection.identity && isRevoked(connection.identity)) {
        connection.suspend(new TandemError("needs-auth", "The token was revoked: send a fresh one in `refresh`."));
      }
    }
  }

  /** Rights may have changed, for all connections or those of one user. */
  invalidate(of: { readonly tenant?: string; readonly user?: string }): void {
    for (const connection of this.#connections) {
      const { identity } = connection;
      if (!identity || (of.tenant !== undefined && identity.tenant !== of.tenant)) continue;
      if (of.user === undefined || identity.user === of.user) connection.invalidate();
    }
  }

  /** The node delivers again: looks who waits. */
  wake(): void {
    for (const connection of this.#connections) connection.wake();
  }

  /**
   * Lets everyone go: tells each when to come back (spread over `spreadMs`, so that they do not come all at once), waits until
   * what they asked for is answered, at most `patienceMs`, then closes.
   */
  async drain(spreadMs: number, patienceMs: number): Promise<void> {
    this.#draining = true;
    const { runtime } = this.#ports;
    for (const connection of this.#connections) {
      connection.announce("shutting-down", Math.round(runtime.random() * spreadMs));
    }
    const until = runtime.elapsed() + patienceMs;
    const busy = () => [...this.#connections].some((connection) => connection.busy);
    do await new Promise<void>((resolve) => runtime.timer(DRAIN_LOOK_MS, resolve));
    while (busy() && runtime.elapsed() < until);
    for (const connection of this.#connections) connection.close(errorOf("shutting-down"));
  }

  /** Ends every connection at once, without a word. */
  destroy(): void {
    this.#draining = true;
    this.#timer?.cancel();
    for (const connection of this.#connections) connection.destroy();
  }
}
