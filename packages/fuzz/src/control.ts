import type { Client } from "@tandem/client";
import { createClient } from "@tandem/client";
import { msgpackCodec } from "@tandem/protocol/msgpack";
import { silentLogger, systemRuntime } from "@tandem/runtime";
import { mintToken } from "@tandem/server";
import type { app } from "./app.ts";
import { CONTROL, SECRET } from "./app.ts";

/** Connections of the control clients, which are a server's first. */
export const OWN_CONNECTIONS = 2;

/** Milliseconds between a publish's acknowledgement and the next publish. */
const PAUSE = 5;

/**
 * Two well-behaved clients beside the hostile ones, by the real client library: one publishes without end, one publish after
 * the other; both read. Whatever is lost, comes twice, comes in another order, or cuts a connection is a fault.
 */
export class Control {
  readonly #clients: readonly Client<typeof app>[];
  readonly #fault: (sentence: string) => void;
  readonly #read = [0, 0];
  #published = 0;
  #acknowledged = 0;
  #stopping = false;
  #done: Promise<void> = Promise.resolve();

  constructor(clients: readonly Client<typeof app>[], fault: (sentence: string) => void) {
    this.#clients = clients;
    this.#fault = fault;
  }

  static async start(port: number, fault: (sentence: string) => void): Promise<Control> {
    const grants = { [CONTROL]: ["read", "publish"] } as const;
    const token = await mintToken({ secret: SECRET, user: "control", grants, lifetime: 86_400_000 });
    // What its library has to put right by itself is a fault of the server's, too.
    const told = (_: object, message: string) => fault(`the control client logged: ${message}`);
    const runtime = systemRuntime({ ...silentLogger, warn: told, error: told });
    const common = { url: `ws://127.0.0.1:${port}/ws`, token: () => token, runtime };
    const clients = [createClient<typeof app>(common), createClient<typeof app>({ ...common, codec: msgpackCodec })];
    const control = new Control(clients, fault);
    await control.#begin();
    return control;
  }

  /** Events that were published, acknowledged, and read by both. */
  get served(): number {
    return Math.min(this.#acknowledged, ...this.#read);
  }

  async #begin(): Promise<void> {
    await Promise.all(this.#clients.map((client, at) => this.#subscribe(client, at)));
    for (const client of this.#clients) {
      client.status.subscribe(() => {
        const { kind } = client.status.get();
        if (kind !== "connected" && !this.#stopping) this.#fault(`the control client became ${kind}`);
      });
    }
    this.#done = this.#publish();
  }

  #subscribe(client: Client<typeof app>, at: number): Promise<void> {
    return new Promise((resolve) => {
      client.channel("control", "1").subscribe({
        from: { last: 0 },
        onEvents: (events) => {
          for (const { data } of events) {
            const expected = (this.#read[at] ?? 0) + 1;
            const { n } = data as { n: number };
            if (n !== expected) this.#fault(`the control client read ${n} where ${expected} was next`);
            this.#read[at] = n;
          }
        },
        onReset: (reason) => this.#fault(`the control client was told reset: ${reason}`),
        onError: (error) => this.#fault(`the control client's subscription ended: ${error.code}`),
        onState: (state) => {
          if (state === "live") resolve();
        },
      });
    });
  }

  async #publish(): Promise<void> {
    const [publisher] = this.#clients;
    const channel = publisher?.channel("control", "1");
    while (!this.#stopping && channel) {
      try {
        await channel.publish("message", { n: ++this.#published }).durable;
        this.#acknowledged++;
      } catch (error) {
        if (!this.#stopping) this.#fault(`a publish of the control client was refused: ${error}`);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** Publishes the last, waits until all is read, and goes. `patience`: milliseconds after which what is missing is lost. */
  async finish(patience = 10_000): Promise<void> {
    this.#stopping = true;
    const until = Date.now() + patience;
    await Promise.race([this.#done, new Promise((resolve) => setTimeout(resolve, patience))]);
    while (Math.min(...this.#read) < this.#published && Date.now() < until)
      await new Promise((resolve) => setTimeout(resolve, 20));
    const [first = 0, second = 0] = this.#read;
    if (this.#acknowledged !== this.#published || first !== this.#published || second !== this.#published) {
      this.#fault(
        `the control client published ${this.#published}, was acknowledged ${this.#acknowledged}, and read ${first} and ${second}`,
      );
    }
    await this.abandon();
  }

  /** Goes at once: the server is gone. */
  async abandon(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}
