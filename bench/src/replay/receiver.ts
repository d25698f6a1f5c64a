import type { Client, Connect } from "@tandem/client";
import { createClient } from "@tandem/client";
import type { Runtime } from "@tandem/runtime";
import { Deliveries, indexOf } from "./deliveries.ts";
import type app from "./tandem.config.ts";
import { Text } from "./text.ts";

/** A client that applies every transaction to a text of its own. */
export class Receiver {
  readonly deliveries: Deliveries;
  /** Transactions applied. */
  applied = 0;
  /** Why it cannot go on: an edit that does not fit its text, or the end of its subscription. */
  failure: Error | undefined;
  readonly #client: Client<typeof app>;
  readonly #text: Text;
  #standing = (): void => {};
  #applied = (): void => {};

  constructor(url: string, id: string, start: string, connect: Connect, runtime: Runtime) {
    this.deliveries = new Deliveries(connect);
    this.#text = new Text(start);
    this.#client = createClient<typeof app>({ url, connect: this.deliveries.connect, runtime });
    this.#client.channel("text", id).subscribe({
      onState: (state) => state === "live" && this.#standing(),
      onEvents: (events) => {
        for (const { data } of events) this.#apply(data);
        this.#applied();
      },
      onReset: (reason) => this.#fail(new Error(`the subscription was reset: ${reason}`)),
      onError: (error) => this.#fail(error),
    });
  }

  #apply(data: unknown): void {
    if (this.failure) return;
    const index = indexOf(data);
    try {
      this.#text.apply((data as { patches: [number, number, string][] }).patches);
      this.applied++;
    } catch (error) {
      this.#fail(new Error(`transaction ${index} does not fit: ${error instanceof Error ? error.message : error}`));
    }
  }

  #fail(error: Error): void {
    this.failure ??= error;
    this.#applied();
  }

  get text(): string {
    return this.#text.toString();
  }

  /** Resolves when the subscription stands for the first time. */
  standing(): Promise<void> {
    return new Promise((resolve) => {
      this.#standing = resolve;
    });
  }

  /** Resolves when so many were applied, or it cannot go on. */
  async upTo(transactions: number): Promise<void> {
    while (this.applied < transactions && !this.failure) {
      await new Promise<void>((resolve) => {
        this.#applied = resolve;
      });
    }
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
