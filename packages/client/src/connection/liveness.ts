import type { Limits } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";

export interface LivenessEvents {
  ping(): void;
  /** Nothing came for too long after a ping. */
  dead(): void;
  latency(ms: number): void;
}

/** Finds out that a connection is dead: silence is answered by a ping, silence after a ping ends it. */
export class Liveness {
  readonly #runtime: Runtime;
  readonly #alarm: Alarm;
  readonly #events: LivenessEvents;
  #limits: Pick<Limits, "pingMs" | "pongMs"> | undefined;
  #heard = 0;
  /** When the ping went out whose pong is to be measured. */
  #pinged: number | undefined;
  /** Nothing was heard since the last ping. */
  #doubtful = false;

  constructor(runtime: Runtime, events: LivenessEvents) {
    this.#runtime = runtime;
    this.#alarm = new Alarm(runtime);
    this.#events = events;
  }

  start(limits: Pick<Limits, "pingMs" | "pongMs">): void {
    this.#limits = limits;
    this.probe();
  }

  heard(): void {
    this.#heard = this.#runtime.elapsed();
    this.#doubtful = false;
  }

  pong(): void {
    if (this.#pinged === undefined) return;
    this.#events.latency(this.#runtime.elapsed() - this.#pinged);
    this.#pinged = undefined;
  }

  /** Asks for a sign of life now, unless one is already awaited. */
  probe(): void {
    if (!this.#limits || this.#doubtful) return;
    this.#doubtful = true;
    this.#pinged = this.#runtime.elapsed();
    const { pingMs, pongMs } = this.#limits;
    this.#alarm.set(pongMs, () => this.#check(pingMs));
    this.#events.ping();
  }

  stop(): void {
    this.#alarm.cancel();
    this.#limits = undefined;
  }

  #check(pingMs: number): void {
    if (this.#doubtful) return this.#events.dead();
    const quiet = this.#runtime.elapsed() - this.#heard;
    if (quiet >= pingMs) this.probe();
    else this.#alarm.set(pingMs - quiet, () => this.#check(pingMs));
  }
}
