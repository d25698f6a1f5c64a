import type { Client } from "@tandem/client";
import { createClient, presence, signals } from "@tandem/client";
import type app from "../tandem.config.ts";

const FIRST = ["Ada", "Grace", "Alan", "Barbara", "Edsger", "Radia", "Leslie", "Frances", "Donald", "Lynn"];
const LAST = ["Lovelace", "Hopper", "Turing", "Liskov", "Dijkstra", "Perlman", "Lamport", "Allen", "Knuth", "Conway"];

/** Milliseconds between two moves of a member. */
const STEP_MS = 100;

/** Members of a room without a page, who move their pointers ten times a second. */
export class Crowd {
  readonly #clients: readonly Client<typeof app>[];
  readonly #cursors: readonly { send(place: { x: number; y: number }): void }[];
  #timer: ReturnType<typeof setInterval> | undefined;
  #step = 0;

  private constructor(clients: readonly Client<typeof app>[], names: readonly string[], room: string) {
    this.#clients = clients;
    this.#cursors = clients.map((client, index) => {
      const channel = client.channel("room", room);
      presence(channel, { state: { name: names[index] ?? "" } });
      return signals(channel, "cursor");
    });
  }

  /** @param url the page's origin @param who how many, or by what names */
  static async enter(url: string, room: string, who: number | readonly string[]): Promise<Crowd> {
    const address = `${url.replace("http", "ws")}/ws`;
    const names = typeof who === "number" ? Array.from({ length: who }, (_, index) => nameOf(index)) : who;
    const clients = names.map((name) => createClient<typeof app>({ url: address, guest: { name } }));
    const crowd = new Crowd(clients, names, room);
    await Promise.all(
      clients.map(
        (client) =>
          new Promise<void>((connected) => {
            const look = () => client.status.get().kind === "connected" && connected();
            client.status.subscribe(look);
            look();
          }),
      ),
    );
    return crowd;
  }

  /** Everybody goes round in circles of their own. */
  move(): void {
    this.#timer ??= setInterval(() => this.step(), STEP_MS);
  }

  /** One move of everybody. */
  step(): void {
    this.#step++;
    for (const [index, cursor] of this.#cursors.entries()) {
      const turn = this.#step / 12 + index * 2.4;
      const [x, y] = [0.5 + 0.38 * Math.cos(index * 1.7), 0.5 + 0.38 * Math.sin(index * 2.3)];
      cursor.send({ x: x + 0.09 * Math.cos(turn), y: y + 0.09 * Math.sin(turn) });
    }
  }

  /** One of them points at a place. */
  point(index: number, x: number, y: number): void {
    this.#cursors[index]?.send({ x, y });
  }

  rest(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async leave(): Promise<void> {
    this.rest();
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}

/** A name that nobody else of the first hundred has. */
function nameOf(index: number): string {
  const [row, column] = [Math.floor(index / FIRST.length), index % FIRST.length];
  return `${FIRST[column]} ${LAST[(column + row * 3) % LAST.length]}`;
}
