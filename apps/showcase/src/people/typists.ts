import { Cell } from "@tandem/runtime";

/** Milliseconds for which somebody is shown to type who has not said so again: they are lost, or their word that they stopped is. */
const TRUSTED_MS = 7_000;
/** Milliseconds for which somebody is still shown who has stopped: between two lines the words would else go and come. */
const LINGER_MS = 400;

interface Typist {
  readonly user: string;
  /** Shown no longer than this, of `performance.now()`. */
  until: number;
}

/** Who is typing, as it is shown: without flicker, and nobody for ever. */
export class Typists {
  /** Each name once, in the order in which they began. */
  readonly names = new Cell<readonly string[]>([]);
  readonly #nameOf: (user: string) => string;
  /** By device. */
  readonly #typists = new Map<string, Typist>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(nameOf: (user: string) => string) {
    this.#nameOf = nameOf;
  }

  began(device: string, user: string): void {
    const until = performance.now() + TRUSTED_MS;
    const known = this.#typists.get(device);
    if (known) known.until = until;
    else this.#typists.set(device, { user, until });
    this.#show();
  }

  ended(device: string): void {
    const known = this.#typists.get(device);
    if (known) known.until = Math.min(known.until, performance.now() + LINGER_MS);
    this.#show();
  }

  clear(): void {
    this.#typists.clear();
    this.#show();
  }

  #show = (): void => {
    const now = performance.now();
    for (const [device, { until }] of this.#typists) if (until <= now) this.#typists.delete(device);
    const typists = [...this.#typists.values()];
    clearTimeout(this.#timer);
    if (typists.length > 0) {
      this.#timer = setTimeout(this.#show, Math.min(...typists.map(({ until }) => until)) - now + 1);
    }
    const names = [...new Set(typists.map(({ user }) => user))].map(this.#nameOf);
    if (names.join("\n") !== this.names.get().join("\n")) this.names.set(names);
  };
}
