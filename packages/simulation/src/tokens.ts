import type { Grants } from "@tandem/app";
import { errorOf } from "@tandem/protocol";
import type { Authenticator, Identity } from "@tandem/server/core";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";
import { EPOCH_START } from "./process.ts";
import type { Random } from "./random.ts";

/** A user of a schedule: clients are theirs, tokens are made for them. */
export interface Person {
  readonly tenant: string;
  readonly user: string;
  readonly grants: Grants;
}

/** Makes tokens and knows them again: a table in the place of cryptography. */
export class Tokens {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #identities = new Map<string, Identity>();

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  /** @param ms how long it is good for, by the clock of whoever makes it */
  mint(person: Person, ms: number): string {
    const now = EPOCH_START + this.#clock.now;
    const token = `token-${this.#identities.size + 1}-${person.tenant}-${person.user}`;
    const { tenant, user, grants } = person;
    this.#identities.set(token, {
      tenant,
      user,
      grants,
      name: undefined,
      guest: false,
      // Tokens tell whole seconds, no more.
      issued: Math.floor(now / 1_000) * 1_000,
      expires: Math.floor((now + ms) / 1_000) * 1_000,
      token,
    });
    return token;
  }

  identity(token: string): Identity | undefined {
    return this.#identities.get(token);
  }

  /** The authenticator of one node. Takes its time. */
  authenticator(process: Process): Authenticator {
    return {
      authenticate: ({ token }) =>
        new Promise((resolve, reject) => {
          this.#clock.after(this.#random.around(3), process, () => {
            const identity = token === undefined ? undefined : this.#identities.get(token);
            if (!identity) reject(errorOf("token-invalid"));
            else if ((identity.expires ?? 0) <= process.runtime.now()) reject(errorOf("token-expired"));
            else resolve(identity);
          });
        }),
    };
  }
}
