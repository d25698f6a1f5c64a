import type { Client, Model } from "@tandem/client";
import { createClient, model } from "@tandem/client";
import { systemRuntime } from "@tandem/runtime";
import type { app } from "./app.ts";
import { board, CHANNEL, COLLECTION, cardOf, idOf, MODEL } from "./work.ts";

type App = typeof app;

/** How a screen came to all records, in milliseconds from the call of `model` on a connected client. */
export interface Joined {
  /** The first records were shown. */
  readonly firstPageMs: number;
  /** All were. */
  readonly joinMs: number;
}

/** One client with the whole client library: its callbacks are the screen. */
export class Screen {
  readonly #client: Client<App>;
  #board: Model<typeof board> | undefined;

  constructor(port: number) {
    const guest = { secret: systemRuntime().randomId() };
    this.#client = createClient<App>({ url: `ws://127.0.0.1:${port}/ws`, guest, transports: ["websocket"] });
  }

  connected(): Promise<void> {
    const { status } = this.#client;
    return new Promise((resolve) => {
      const look = () => status.get().kind === "connected" && resolve();
      status.subscribe(look);
      look();
    });
  }

  /** Loads the records. @throws Error (by rejection) where they cannot be loaded */
  join(): Promise<Joined> {
    const [type = "", id = ""] = CHANNEL.split(":");
    const start = performance.now();
    const use = model(this.#client.channel(type as "board", id), MODEL, board);
    this.#board = use;
    let firstPageMs = 0;
    return new Promise((resolve, reject) => {
      const stop = use.state.subscribe(() => {
        const state = use.state.get();
        if (state.kind === "failed") return reject(state.error);
        if (firstPageMs === 0 && (state.value?.[COLLECTION]?.size ?? 0) > 0) firstPageMs = performance.now() - start;
        if (state.kind !== "ready") return;
        stop();
        resolve({ firstPageMs, joinMs: performance.now() - start });
      });
    });
  }

  get #cards() {
    const state = this.#board?.state.get();
    return state?.kind === "ready" ? state.value[COLLECTION] : undefined;
  }

  /** Votes of a record, as this screen shows it. */
  votes(index: number): number | undefined {
    return this.#cards?.get(idOf(index))?.value.votes;
  }

  /** Calls back whenever what is shown has changed. */
  watch(changed: () => void): () => void {
    return this.#board?.state.subscribe(changed) ?? (() => {});
  }

  /** Changes the votes of a record. Resolves when that is durable. @throws Error (by rejection) where it is refused */
  async change(index: number, votes: number): Promise<void> {
    const sent = this.#board?.send("patch", { collection: COLLECTION, id: idOf(index), fields: { votes } });
    const settled = await sent?.settled;
    if (settled?.kind !== "confirmed") throw new Error(`a change was not confirmed: ${settled?.kind}`);
  }

  /** @throws Error where a record is not what it should be, but for the votes of those that were changed */
  check(records: number, changed: ReadonlyMap<number, number>): void {
    const table = this.#cards;
    if (table?.size !== records) throw new Error(`of ${records} records ${table?.size} came`);
    for (let index = 0; index < records; index++) {
      const card = cardOf(index);
      const expected = { ...card, votes: changed.get(index) ?? card.votes };
      const found = table.get(idOf(index))?.value;
      if (JSON.stringify(found) !== JSON.stringify(expected)) throw new Error(`record ${index} is another one`);
    }
  }

  leave(): Promise<void> {
    return this.#client.close();
  }
}
