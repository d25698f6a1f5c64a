import type { Access } from "@tandem/app";
import { channelType } from "@tandem/protocol";
import type { Clock } from "./clock.ts";
import type { Process } from "./process.ts";
import type { Random } from "./random.ts";
import type { Tally } from "./tally.ts";

/** How late an access function answers, in milliseconds on average: mostly soon, now and then past a change of mind. */
const LATE_MS = [5, 40, 2_000] as const;

/** Has this channel members of its own, whatever a token grants? */
export function hasMembers(channel: string): boolean {
  return channelType(channel) === "club";
}

/** The application's own table of who may enter its clubs: all but those who were expelled. Nodes ask it, and may be answered late. */
export class Memberships {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #tally: Tally;
  /** Every question is answered at once: no more faults. */
  prompt = false;
  readonly #expelled = new Set<string>();
  /** Whom nodes may still take for expelled. */
  readonly #doubtful = new Set<string>();

  constructor(clock: Clock, random: Random, tally: Tally) {
    this.#clock = clock;
    this.#random = random;
    this.#tally = tally;
  }

  /** Who is expelled, or was admitted again and not every node may know. */
  get doubtful(): readonly (readonly [tenant: string, user: string])[] {
    return [...this.#doubtful].map((name) => {
      const [tenant = "", user = ""] = name.split("/");
      return [tenant, user];
    });
  }

  isExpelled(tenant: string, user: string): boolean {
    return this.#expelled.has(`${tenant}/${user}`);
  }

  expel(tenant: string, user: string): void {
    this.#expelled.add(`${tenant}/${user}`);
    this.#doubtful.add(`${tenant}/${user}`);
  }

  admit(tenant: string, user: string): void {
    this.#expelled.delete(`${tenant}/${user}`);
    this.#doubtful.add(`${tenant}/${user}`);
  }

  /** Every node is sure to learn how it stands with them now. */
  settled(tenant: string, user: string): void {
    if (!this.isExpelled(tenant, user)) this.#doubtful.delete(`${tenant}/${user}`);
  }

  /** The `access` function as one node has it: tells how things stood when it was asked, at once or late. */
  access(process: Process): Access {
    return ({ viewer, granted }) => {
      const rights = this.isExpelled(viewer.tenant, viewer.user) ? [] : granted;
      if (this.prompt || this.#random.chance(0.5)) return rights;
      this.#tally.count("path", "access-late");
      return new Promise((resolve) => {
        this.#clock.after(this.#random.around(this.#random.pick(LATE_MS)), process, () => resolve(rights));
      });
    };
  }
}
