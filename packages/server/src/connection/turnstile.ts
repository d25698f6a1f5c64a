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

/** What one who was let in has. */
export interface Admission {
  readonly allowance: Allowance;
  /** Gives its place back. */
  leave(): void;
}

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

  /** A connection comes from an address. @returns the call that gives its place back, or why it may not stay */
  arrive(address: string): (() => void) | TandemError {
    return (
      this.#addresses.take(neighbourhood(address)) ?? this.#full("Too many connections are open from this address.")
    );
  }

  /**
   * It is known who has come.
   *
   * @param side it stands beside a connection of its client's own, for one request: it takes no place of its user
   * @throws TandemError `too-many-connections` or, for a guest who was never here, `rate-limited`
   */
  admit({ tenant, user, guest }: Identity, address: string, side: boolean): Admission {
    const name = `${tenant} ${user}`;
    const from = neighbourhood(address);
    const leave = side ? () => {} : this.#users.take(name);
    if (!leave) throw this.#full("This user has too many open connections.");
    const wait = guest ? this.#newcomers.greet(name, from) : 0;
    if (wait > 0) {
      leave();
      throw new TandemError("rate-limited", "Too many new guests come from this address.", { retryAfter: wait });
    }
    return { allowance: new Allowance(this.#rates, from, name), leave };
  }

  #full(sentence: string): TandemError {
    const retryAfter = Math.round(RETRY_MS * (1 + this.#runtime.random()));
    return new TandemError("too-many-connections", sentence, { retryAfter });
  }
}
