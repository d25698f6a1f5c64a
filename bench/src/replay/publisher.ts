import type { Client, Connect } from "@tandem/client";
import { createClient } from "@tandem/client";
import type { Runtime } from "@tandem/runtime";
import { PublisherWire } from "./publisher-wire.ts";
import type app from "./tandem.config.ts";
import type { Patch } from "./trace.ts";

/** Publishes on their way at a time. */
const IN_FLIGHT = 256;

/** Publishes that wait in the client: enough to keep the wire full, little enough that kills are spread over the trace. */
const QUEUE = 512;

/** The author: publishes transactions in order, no more at a time than its client's queue holds. */
export class Publisher {
  readonly wire: PublisherWire;
  /** Transactions that are durable. */
  durable = 0;
  /** The first publish that was not stored, or of which that is not known. */
  failure: Error | undefined;
  readonly #client: Client<typeof app>;
  readonly #id: string;
  #settled = (): void => {};

  constructor(url: string, id: string, connect: Connect, runtime: Runtime) {
    this.wire = new PublisherWire(connect);
    this.#id = id;
    this.#client = createClient<typeof app>({
      url,
      connect: this.wire.connect,
      runtime,
      inFlight: IN_FLIGHT,
      queue: QUEUE,
    });
  }

  /** Publishes a transaction once the queue has room. */
  async publish(index: number, patches: readonly Patch[]): Promise<void> {
    await this.#until(() => this.#client.pending.get() < QUEUE);
    const edit = { index, patches: patches.map((patch): Patch => [...patch]) };
    this.#client
      .channel("text", this.#id)
      .publish("edit", edit)
      .durable.then(
        () => this.durable++,
        (error: Error) => {
          this.failure ??= new Error(`transaction ${index} was not stored: ${error.message}`);
        },
      )
      .finally(() => this.#settled());
  }

  /** Resolves when everything that was published is settled. */
  drained(): Promise<void> {
    return this.#until(() => this.#client.pending.get() === 0);
  }

  /** @throws what was not stored */
  async #until(condition: () => boolean): Promise<void> {
    for (;;) {
      if (this.failure) throw this.failure;
      if (condition()) return;
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
    }
  }

  /** Resolves when the client is connected. */
  connected(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): boolean => this.#client.status.get().kind === "connected";
      if (look()) return resolve();
      const stop = this.#client.status.subscribe(() => {
        if (!look()) return;
        stop();
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
