import type { Limits } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { Buckets, draw } from "./buckets.ts";

/** Rates are told a second. */
const PERIOD_MS = 1_000;

/** Who goes over the rate of signals is told so this often at most, in milliseconds. */
const TELL_MS = 1_000;

type Kind = "publishes" | "signals";

interface Bounds {
  readonly perConnection: number;
  readonly perUser: number;
  readonly perAddress: number;
  readonly users: Buckets;
  readonly addresses: Buckets;
}

/** How fast clients may publish and signal on one node: each connection, each user over all of its connections, each address. */
export class Rates {
  readonly runtime: Pick<Runtime, "elapsed">;
  readonly publishes: Bounds;
  readonly signals: Bounds;

  constructor(limits: Limits, runtime: Pick<Runtime, "elapsed">) {
    this.runtime = runtime;
    this.publishes = {
      perConnection: limits.publishesPerConnection,
      perUser: limits.publishesPerUser,
      perAddress: limits.publishesPerAddress,
      users: new Buckets(),
      addresses: new Buckets(),
    };
    this.signals = {
      perConnection: limits.signalsPerConnection,
      perUser: limits.signalsPerUser,
      perAddress: limits.signalsPerAddress,
      users: new Buckets(),
      addresses: new Buckets(),
    };
  }
}

/**
 * What one connection may do now, by its own rates, its user's and its address's. One act takes from all three or from none, so that
 * who is held back by one does not use up the others.
 */
export class Allowance {
  readonly #rates: Rates;
  readonly #address: string;
  readonly #user: string;
  #publishesFullAt = 0;
  #signalsFullAt = 0;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(rates: Rates, address: string, user: string) {
    this.#rates = rates;
    this.#address = address;
    this.#user = user;
  }

  /** One publish. @returns 0 when it may be, else the milliseconds to wait */
  publish(): number {
    const { fullAt, wait } = this.#take("publishes", this.#publishesFullAt, 1);
    this.#publishesFullAt = fullAt;
    return wait;
  }

  /** So many signals, or changes of presence, together. @returns 0 when they may be, else the milliseconds to wait */
  signal(count = 1): number {
    const { fullAt, wait } = this.#take("signals", this.#signalsFullAt, count);
    this.#signalsFullAt = fullAt;
    return wait;
  }

  /**
   * A signal is dropped that would have had to wait so many milliseconds. Its client is told once a second at most: one that keeps
   * quiet for as long as it was told, then sends the newest of each, has lost nothing that it was not told of.
   *
   * @returns the milliseconds that it is to be told to wait, or `undefined` where it was told already
   */
  tell(wait: number): number | undefined {
    const now = this.#rates.runtime.elapsed();
    if (now - this.#toldAt < TELL_MS) return undefined;
    this.#toldAt = now;
    return Math.max(wait, TELL_MS);
  }

  #take(kind: Kind, fullAt: number, count: number) {
    const { perConnection, perUser, perAddress, users, addresses } = this.#rates[kind];
    const now = this.#rates.runtime.elapsed();
    const own = draw(fullAt, count, perConnection, PERIOD_MS, now);
    const user = draw(users.fullAt(this.#user), count, perUser, PERIOD_MS, now);
    const address = draw(addresses.fullAt(this.#address), count, perAddress, PERIOD_MS, now);
    const wait = Math.max(own.wait, user.wait, address.wait);
    if (wait > 0) return { fullAt, wait };
    users.keep(this.#user, user.fullAt, now);
    addresses.keep(this.#address, address.fullAt, now);
    return own;
  }
}
