import type { PostEvents, PostRequest } from "@tandem/client/road";
import type { Codec } from "@tandem/protocol";
import type { Clock } from "./clock.ts";
import type { ClientEnd, Connection, Listener, Wiretap } from "./connection.ts";
import { SocketConnection } from "./connection.ts";
import { HttpConnection } from "./http-connection.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** How bad the network of a schedule is. */
export interface Weather {
  /** Mean latency of a connection, in milliseconds. */
  latency: number;
  /** Share of attempts to connect that are refused though a node is up. */
  refused: number;
  /** Share of attempts that are never answered. */
  unanswered: number;
  /** Share of connections whose way to the client is narrow all the time: about a kilobyte a second. */
  narrow: number;
}

/** The client's hold on a connection that it asked for. */
export interface Dialled {
  send(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
}

/** The virtual network with a load balancer before the nodes: it hands each new connection to any that is ready. */
export class Network {
  readonly connections = new Set<Connection>();
  readonly weather: Weather;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tap: Wiretap;
  readonly #tally: Tally;
  readonly #listeners: () => readonly Listener[];
  /** Whose requests were lost on their way, one entry for each that is not given up yet. */
  readonly #lost = new Set<{ readonly client: Process }>();
  #numbers = 0;

  /** @param listeners the nodes to which the load balancer would hand a connection now */
  constructor(
    clock: Clock,
    random: Random,
    weather: Weather,
    tap: Wiretap,
    tally: Tally,
    listeners: () => readonly Listener[],
  ) {
    this.#clock = clock;
    this.#random = random;
    this.weather = weather;
    this.#tap = tap;
    this.#tally = tally;
    this.#listeners = listeners;
  }

  /** A client asks for a connection. It is told `opened`, or `closed` without it. */
  dial(client: Process, codec: Codec, end: ClientEnd): Dialled {
    const random = this.#random;
    let connection: SocketConnection | undefined;
    let given: "up" | { code: number; reason: string } = "up";
    const fail = (ms: number) =>
      this.#clock.after(ms, client, () => {
        if (given === "up") end.closed(1006, "");
      });
    if (!random.chance(this.weather.unanswered)) {
      const latency = this.weather.latency * random.between(0.3, 2);
      this.#clock.after(1.5 * latency, undefined, () => {
        if (!client.alive || given !== "up") return;
        const listeners = this.#listeners().filter((listener) => listener.process.alive);
        if (listeners.length === 0 || random.chance(this.weather.refused)) return void fail(latency);
        connection = this.#accept(client, codec, random.pick(listeners), latency, end, () => given === "up");
      });
    }
    return {
      send: (bytes) => connection?.send(bytes),
      close: (code, reason) => {
        if (given !== "up") return;
        given = { code, reason };
        if (connection) connection.close(code, reason);
        else this.#clock.after(0, client, () => end.closed(code, reason));
      },
    };
  }

  /** A client posts a request of the other road. @returns the call that gives it up */
  post(client: Process, request: PostRequest, events: PostEvents): () => void {
    const random = this.#random;
    const latency = this.weather.latency * random.between(0.3, 2);
    let connection: HttpConnection | undefined;
    const lost = { client };
    let isOver = false;
    const ended = (status: number) => {
      if (connection) this.connections.delete(connection);
      if (!isOver) events.ended(status, 0);
      isOver = true;
    };
    if (random.chance(this.weather.unanswered)) {
      this.#lost.add(lost);
    } else {
      this.#clock.after(latency, undefined, () => {
        if (isOver || !client.alive) return;
        const listeners = this.#listeners().filter((listener) => listener.process.alive);
        // A load balancer without a node behind it says so; or nobody answers at all.
        const refused =
          listeners.length === 0 ? 503 : random.chance(this.weather.refused) ? random.pick([0, 502]) : undefined;
        if (refused !== undefined) return void this.#clock.after(latency, client, () => ended(refused));
        connection = new HttpConnection({
          number: ++this.#numbers,
          clock: this.#clock,
          random,
          client,
          listener: random.pick(listeners),
          request,
          end: { text: (piece) => isOver || events.text(piece), ended },
          tap: this.#tap,
          upward: { latency, bandwidth: random.between(200, 2_000), capacity: 65_536 },
          downward: { latency, bandwidth: random.between(200, 2_000), capacity: random.pick([8_192, 65_536]) },
        });
        this.connections.add(connection);
      });
    }
    return () => {
      isOver = true;
      this.#lost.delete(lost);
      if (!connection) return;
      this.connections.delete(connection);
      connection.clientGone(latency);
    };
  }

  #accept(
    client: Process,
    codec: Codec,
    listener: Listener,
    latency: number,
    end: ClientEnd,
    wanted: () => boolean,
  ): SocketConnection {
    const random = this.#random;
    const connection = new SocketConnection({
      number: ++this.#numbers,
      clock: this.#clock,
      random,
      client,
      listener,
      codec,
      end: {
        opened: end.opened,
        frame: end.frame,
        closed: (code, reason) => {
          this.connections.delete(connection);
          end.closed(code, reason);
        },
      },
      tap: this.#tap,
      upward: { latency, bandwidth: random.between(200, 2_000), capacity: 65_536 },
      downward: { latency, bandwidth: random.between(200, 2_000), capacity: random.pick([8_192, 65_536, 1_048_576]) },
    });
    this.connections.add(connection);
    if (random.chance(this.weather.narrow)) {
      connection.down.narrow(random.between(1, 3));
      this.#tally.count("fault", "narrow-reader");
    }
    this.#clock.after(latency * random.between(0.5, 1), client, () => {
      if (wanted() && connection.whole) end.opened();
    });
    return connection;
  }

  /** The connections of a process, the node's or the client's. */
  of(process: Process): Connection[] {
    return [...this.connections].filter((connection) => connection.client === process || connection.node === process);
  }

  /** Does a client wait for what was asked beside its connection, and was lost on its way there or back? */
  hasLost(client: Process): boolean {
    return (
      [...this.#lost].some((request) => request.client === client) ||
      this.of(client).some(({ side, whole }) => side && !whole)
    );
  }

  forget(connection: Connection): void {
    this.connections.delete(connection);
  }
}
