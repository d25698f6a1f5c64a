import type { Runtime, Timer } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";

/** How long it waits between attempts, in milliseconds: a random share of a cap that doubles from `first` up to `longest`. */
export interface Waits {
  readonly first: number;
  readonly longest: number;
}

/** Does things until they succeed, after growing waits, until it is stopped. */
export class Insistence {
  readonly #runtime: Runtime;
  readonly #waits: Waits;
  #stopped = false;
  #waiting: { readonly timer: Timer; readonly done: () => void } | undefined;

  constructor(runtime: Runtime, waits: Waits) {
    this.#runtime = runtime;
    this.#waits = waits;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** Nothing is tried again. */
  stop(): void {
    this.#stopped = true;
    this.#waiting?.timer.cancel();
    this.#waiting?.done();
  }

  /** @param failed told of each attempt that failed @returns false when it was stopped before it succeeded */
  async on(action: () => void | Promise<void>, failed: (error: unknown) => void): Promise<boolean> {
    const { first, longest } = this.#waits;
    for (let attempt = 0; ; attempt++) {
      try {
        await action();
        return true;
      } catch (error) {
        failed(error);
        if (this.#stopped) return false;
        await this.#wait(fullJitter(attempt, this.#runtime.random(), first, longest));
        if (this.#stopped) return false;
      }
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = { timer: this.#runtime.timer(ms, resolve), done: resolve };
    });
  }
}
