import type { Identity, Revocation } from "@tandem/server/core";
import type { Memberships } from "./memberships.ts";
import { hasMembers } from "./memberships.ts";
import type { Process } from "./process.ts";

/** A revocation takes effect everywhere within this, in milliseconds, where nodes can read the log. */
const SOON_MS = 2_000;

/** A node that cannot learn of revocations delivers for this long, in milliseconds, and no longer. */
const AT_LATEST_MS = 5_000;

/** What was revoked for certain, and since when: what each node must hold itself to. */
export class Revocations {
  #known: { readonly at: number; readonly revocation: Revocation }[] = [];
  readonly #disturbedAt: (process: Process) => number;
  readonly #memberships: Memberships;

  /** @param disturbedAt when last a node was kept from reading the log */
  constructor(disturbedAt: (process: Process) => number, memberships: Memberships) {
    this.#disturbedAt = disturbedAt;
    this.#memberships = memberships;
  }

  /** It was told to be durable at `at`. */
  durable(at: number, revocation: Revocation): void {
    this.#known.push({ at, revocation });
  }

  /** A user's rights change anew: that they had changed says nothing any more. */
  changed(tenant: string, user: string): void {
    this.#known = this.#known.filter(
      ({ revocation }) => revocation.kind !== "rights" || revocation.tenant !== tenant || revocation.user !== user,
    );
  }

  /** The store went back: what was revoked since the backup may be forgotten. */
  restored(backupAt: number): void {
    this.#known = this.#known.filter(({ at }) => at <= backupAt);
  }

  /**
   * How long past its revocation, or past the word that its rights have changed, an identity is still served, in milliseconds, if that is longer than it may be. A node
   * that cannot learn of revocations may go on to answer; it may not go on to deliver.
   */
  overdue(
    identity: Identity,
    now: number,
    node: Process,
    message: string,
    channel: string | undefined,
  ): number | undefined {
    const delivers = message === "events" || message === "page";
    for (const { at, revocation } of this.#known) {
      if (!this.#concerns(revocation, identity, channel)) continue;
      const disturbed = this.#disturbedAt(node) >= at - AT_LATEST_MS;
      if (disturbed && !delivers) continue;
      if (now - at > (disturbed ? AT_LATEST_MS : SOON_MS)) return now - at;
    }
    return undefined;
  }

  #concerns(revocation: Revocation, identity: Identity, channel: string | undefined): boolean {
    const { tenant, user, issued } = identity;
    switch (revocation.kind) {
      case "token":
        return identity.token === revocation.id;
      case "user":
        return tenant === revocation.tenant && user === revocation.user && issued <= revocation.before;
      case "tenant":
        return tenant === revocation.tenant && issued <= revocation.before;
      case "rights":
        return (
          channel !== undefined &&
          hasMembers(channel) &&
          tenant === revocation.tenant &&
          user === revocation.user &&
          this.#memberships.isExpelled(tenant, user)
        );
    }
  }
}
