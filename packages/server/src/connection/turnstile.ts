import type { Limits } from "@tandem/protocol";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Identity } from "../access/authenticator.ts";
import { neighbourhood } from "./neighbourhood.ts";
import { Newcomers } from "./newcomers.ts";
import { Places } from "./places.ts";
import { Allowance, Rates } from "./rates.ts";

/** Who found no place may try again after this, in milliseconds; spread over twice of it, so that not all come at once. */
const RETRY_MS = 5_000;

/**
 * Counts who comes in, and how fast each may act, over all connections of one node. Each node counts by itself: many of them
 * let a user or an address have that many times as much.
 */
export class Turnstile {
  readonly #runtime: Runtime;
  readonly #rates: Rates;
  readonly #users: Places;
  readonly #addresses: Places;
  readonly #newcomers: Newcomers;

  constructor(limits: Limits, runtime: Runtime) {
    this.#runtime = runtime;
    this.#rates = new Rates(limits, runtime);
    this.#users = new Places(limits.connectionsPerUser);
    this.#addresses = new Places(limits.connectionsPerAddress);
    this.#newcomers = new Newcomers(limits, runtime);
  }

  /** A connection comes from an address. @returns why it may not stay; where it may, it has a place until `depart` */
  arrive(address: string): TandemError | undefined {
    if (this.#addresses.take(neighbourhood(address))) return undefined;
    return this.#full("Too many connections are open from this address.");
  }

  /** A connection that was let stay is gone. */
  depart(address: string): void {
    this.#addresses.giveBack(neighbourhood(address));
  }

  /**
   * It is known who has come: it has a place of its user until `leave`.
   *
   * @param side it stands beside a connection of its client's own, for one request: it takes no place
   * @throws TandemError `too-many-connections` or, for a guest who was never here, `rate-limited`
   */
  admit(identity: Identity, address: string, side: boolean): void {
    const name = nameOf(identity);
    if (!side && !this.#users.take(name)) throw this.#full("This user has too many open connections.");
    const wait = identity.guest ? this.#newcomers.greet(name, neighbourhood(address)) : 0;
    if (wait === 0) return;
    if (!side) this.#users.giveBack(name);
    throw new TandemError("rate-limited", "Too many new guests come from this address.", { retryAfter: wait });
  }

  /** One who was admitted, and not as a side connection, is gone. */
  leave(identity: Identity): void {
    this.#users.giveBack(nameOf(identity));
  }

  /** How fast one who was admitted may act. */
  allowance(identity: Identity, address: string): Allowance {
    return new Allowance(this.#rates, neighbourhood(address), nameOf(identity));
  }

  #full(sentence: string): TandemError {
    const retryAfter = Math.round(RETRY_MS * (1 + this.#runtime.random()));
    return new TandemError("too-many-connections", sentence, { retryAfter });
  }
}

function nameOf({ tenant, user }: Identity): string {
  return `${tenant} ${user}`;
}
