import type { Member } from "@tandem/protocol";
import type { ChannelKey } from "../log/log.ts";
import { memberOf } from "../presence/entry.ts";
import type { Presence, PresentDefinition } from "../presence/presence.ts";

/** Who is in a channel, as the application sees it: on all nodes, as far as this one has heard. */
export class Attendance {
  readonly #presence: Presence;
  readonly #key: ChannelKey;
  readonly #definition: PresentDefinition;

  constructor(presence: Presence, key: ChannelKey, definition: PresentDefinition) {
    this.#presence = presence;
    this.#key = key;
    this.#definition = definition;
  }

  /** Users that are there. */
  count(): number {
    return this.#presence.known(this.#key)?.roster.count ?? 0;
  }

  /** Everybody's devices. A user may have several. */
  members(): Member[] {
    const entries = this.#presence.known(this.#key)?.roster.entries() ?? [];
    return [...entries].flatMap((entry) => (entry.status === undefined ? [] : [memberOf(entry)]));
  }

  /** Is this user there, with any device? */
  has(user: string): boolean {
    return this.#presence.known(this.#key)?.roster.has(user) ?? false;
  }

  /** Calls `listener` whenever who is there, or what they say of themselves, has changed. @returns the call that ends it */
  subscribe(listener: () => void): () => void {
    return this.#presence.room(this.#key, this.#definition).listen(listener);
  }
}
