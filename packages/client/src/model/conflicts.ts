import type { ConflictReason, Reason } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { Sent } from "./sent.ts";

/** Most conflicts that are kept: the oldest go first. */
const CONFLICTS = 50;

/** A command of this client was refused because somebody else had changed what it was about. */
export interface Conflict<R extends Reason = Reason> {
  /** What they are at odds about: `["items", "42", "title"]`. */
  readonly path: readonly string[];
  readonly mine: unknown;
  readonly theirs: unknown;
  /** Who changed it; `undefined`: the application itself. */
  readonly by: string | undefined;
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Puts mine in the place of theirs, and takes the conflict off the list. `undefined` where the model cannot. */
  readonly restore: (() => Sent<R>) | undefined;
  /** Takes it off the list. */
  dismiss(): void;
}

/** The conflicts that nobody has dealt with yet, the oldest first. */
export class Conflicts {
  readonly list: Store<readonly Conflict[]>;
  readonly #list: Cell<readonly Conflict[]>;

  constructor(onError: (error: unknown) => void) {
    this.list = this.#list = new Cell<readonly Conflict[]>([], onError);
  }

  /** @param send sends a command of the model */
  add({ path, mine, theirs, by, at, restore }: ConflictReason, send: (command: string, input: unknown) => Sent): void {
    const dismiss = () => this.#list.set(this.#list.get().filter((other) => other !== conflict));
    const conflict: Conflict = {
      path,
      mine,
      theirs,
      by,
      at,
      dismiss,
      restore:
        restore &&
        (() => {
          dismiss();
          return send(restore.command, restore.input);
        }),
    };
    this.#list.set([...this.#list.get(), conflict].slice(-CONFLICTS));
  }
}
