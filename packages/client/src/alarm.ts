import type { Runtime, Timer } from "@tandem/runtime";

/** One timer that is set, set anew and cancelled. */
export class Alarm {
  readonly #runtime: Runtime;
  #timer: Timer | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  get isSet(): boolean {
    return this.#timer !== undefined;
  }

  /** Calls `action` after `ms` milliseconds, in place of whatever it was set to. */
  set(ms: number, action: () => void): void {
    this.cancel();
    this.#timer = this.#runtime.timer(ms, () => {
      this.#timer = undefined;
      action();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
