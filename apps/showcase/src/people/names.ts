import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { PeopleView } from "./people.ts";

/** What to call a user; `null` and `undefined`: nobody in particular, the room itself. */
export type NameOf = (user: string | null | undefined) => string;

/** Most users whose names are remembered. */
const REMEMBERED = 1_000;

export interface NamesOptions {
  readonly people: Store<PeopleView>;
  /** The reader's user, once the server has told it. */
  readonly self: Store<string | undefined>;
}

/** What the users of a room are called: those who are there, and those who were or have written. Another function when a name is new. */
export class Names implements Store<NameOf> {
  readonly #self: Store<string | undefined>;
  readonly #names = new Map<string, string>();
  readonly #nameOf: Cell<NameOf>;
  readonly #endings: readonly (() => void)[];

  constructor({ people, self }: NamesOptions) {
    this.#self = self;
    this.#nameOf = new Cell(this.#told());
    this.#endings = [
      people.subscribe(() => this.learn(people.get().people.map(({ user, name }) => [user, name]))),
      self.subscribe(() => this.#nameOf.set(this.#told())),
    ];
  }

  get = (): NameOf => this.#nameOf.get();

  subscribe = (listener: () => void): (() => void) => this.#nameOf.subscribe(listener);

  learn(names: Iterable<readonly [user: string, name: string]>): void {
    let news = false;
    for (const [user, name] of names) {
      if (this.#names.get(user) === name) continue;
      news = true;
      // The latest learned last.
      this.#names.delete(user);
      this.#names.set(user, name);
      const [oldest] = this.#names.keys();
      if (this.#names.size > REMEMBERED && oldest !== undefined) this.#names.delete(oldest);
    }
    if (news) this.#nameOf.set(this.#told());
  }

  /** Nothing is learned any more of who is there: the reader's user is known to the whole page, which would keep this. */
  close(): void {
    for (const end of this.#endings) end();
  }

  #told(): NameOf {
    return (user) => {
      if (user === null || user === undefined) return "The room";
      return user === this.#self.get() ? "You" : (this.#names.get(user) ?? "Somebody");
    };
  }
}
