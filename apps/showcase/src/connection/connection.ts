import type { Status } from "@tandem/client";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";

interface ConnectionClient {
  readonly status: Store<Status>;
  readonly pending: Store<number>;
  connect(): void;
  disconnect(): void;
}

/** The client's connection, and the person's wish to be without it. */
export class Connection {
  readonly status: Store<Status>;
  /** Own messages and changes that wait for the server, of all rooms. */
  readonly pending: Store<number>;
  /** Does the person want to be disconnected? */
  readonly away = new Cell(false);
  readonly #client: ConnectionClient;

  constructor(client: ConnectionClient) {
    this.#client = client;
    this.status = client.status;
    this.pending = client.pending;
  }

  /** The page goes; it may come again. */
  pause(): void {
    this.#client.disconnect();
  }

  resume(): void {
    if (!this.away.get()) this.#client.connect();
  }

  stayAway = (away: boolean): void => {
    this.away.set(away);
    if (away) this.#client.disconnect();
    else this.#client.connect();
  };
}
