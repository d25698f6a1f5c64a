import type { Bus, Envelope } from "@tandem/server/core";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** How badly the bus of a schedule treats its messages. */
export interface BusWeather {
  /** Mean delay in milliseconds; each message has its own, so that they overtake each other. */
  delay: number;
  loss: number;
  duplication: number;
}

interface Member {
  readonly process: Process;
  readonly listener: (envelope: Envelope) => void;
}

/** The bus between nodes, as bad as it may be: it loses, repeats, delays and reorders, and now and then is not there. */
export class AdversarialBus {
  readonly weather: BusWeather;
  /** Everything sent before then is lost. */
  outageUntil = 0;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tally: Tally;
  readonly #members = new Set<Member>();

  constructor(clock: Clock, random: Random, weather: BusWeather, tally: Tally) {
    this.#clock = clock;
    this.#random = random;
    this.weather = weather;
    this.#tally = tally;
  }

  /** The bus as one node sees it. */
  handle(process: Process): Bus {
    return {
      send: (envelope) => {
        if (!process.alive) return;
        for (const member of this.#members) if (member.process !== process) this.#carry(member, envelope);
      },
      listen: (listener) => {
        const member = { process, listener };
        this.#members.add(member);
        return () => this.#members.delete(member);
      },
    };
  }

  /** Forgets a process that crashed. */
  leave(process: Process): void {
    for (const member of this.#members) if (member.process === process) this.#members.delete(member);
  }

  #carry(member: Member, envelope: Envelope): void {
    if (this.#clock.now < this.outageUntil) return;
    if (this.#random.chance(this.weather.loss)) {
      this.#tally.count("fault", "bus-loss");
      return;
    }
    this.#deliver(member, envelope);
    if (this.#random.chance(this.weather.duplication)) {
      this.#tally.count("fault", "bus-duplicate");
      this.#deliver(member, envelope);
    }
  }

  #deliver(member: Member, envelope: Envelope): void {
    this.#clock.after(this.#random.around(this.weather.delay), member.process, () => {
      if (this.#members.has(member)) member.listener(envelope);
    });
  }
}
