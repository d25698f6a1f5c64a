import type { Client, SignalStream } from "@tandem/client";
import { createClient, presence, signals } from "@tandem/client";
import { systemRuntime } from "@tandem/runtime";
import { clockMicros } from "../measured/payload.ts";
import type { app } from "../servers/app.ts";
import type { Cursor } from "./cursor.ts";
import { CURSOR, cursorOf } from "./cursor.ts";

type App = typeof app;

/** A member with the whole client library: its callbacks are the screen on which a move is seen. */
export class FullMember {
  /** Microseconds from each move's call to this member's callback for it. */
  readonly delays: number[] = [];
  /** Moves of each other member that it was shown, by device. */
  readonly seenOf = new Map<string, number>();
  readonly #number: number;
  readonly #client: Client<App>;
  readonly #cursors: SignalStream<Cursor, Cursor>;
  readonly #entered: Promise<void>;
  #moves = 0;

  constructor(port: number, number: number, failed: (error: Error) => void) {
    this.#number = number;
    this.#client = createClient<App>({
      url: `ws://127.0.0.1:${port}/ws`,
      guest: { secret: systemRuntime().randomId() },
      transports: ["websocket"],
    });
    const room = this.#client.channel("crowd", "1");
    const here = presence(room, { state: { name: `member ${number}` }, onError: failed });
    this.#cursors = signals(room, CURSOR, {
      onError: failed,
      onSignals: (batch) => {
        const now = clockMicros();
        for (const { device, data } of batch) {
          if (!data) continue;
          this.delays.push(now - data.at);
          this.seenOf.set(device, (this.seenOf.get(device) ?? 0) + 1);
        }
      },
    });
    this.#entered = new Promise((resolve) => {
      here.status.subscribe(() => here.status.get() === "live" && resolve());
    });
  }

  entered(): Promise<void> {
    return this.#entered;
  }

  /** Forgets what was measured so far. */
  begin(): void {
    this.delays.length = 0;
    this.seenOf.clear();
  }

  move(): void {
    this.#cursors.send(cursorOf(this.#number, ++this.#moves, clockMicros()));
  }

  leave(): Promise<void> {
    return this.#client.close();
  }
}
