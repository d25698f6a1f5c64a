import type { Runtime, Timer } from "@tandem/runtime";

interface Due {
  readonly at: number;
  readonly action: () => void;
}

/** A runtime whose time is driven by hand, for tests. Random numbers are 0.5 unless told otherwise. */
export class VirtualRuntime implements Runtime {
  readonly #timers = new Set<Due>();
  readonly #deferred: (() => void)[] = [];
  #elapsed = 0;
  #ids = 0;
  #clock = 1_700_000_000_000;
  chance: () => number = () => 0.5;
  readonly errors: unknown[] = [];
  readonly logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (fields: Record<string, unknown>) => void this.errors.push(fields.error),
  };

  now(): number {
    return this.#clock + this.#elapsed;
  }

  elapsed(): number {
    return this.#elapsed;
  }

  timer(ms: number, action: () => void): Timer {
    const due = { at: this.#elapsed + ms, action };
    this.#timers.add(due);
    return { cancel: () => this.#timers.delete(due) };
  }

  defer(action: () => void): void {
    this.#deferred.push(action);
  }

  random(): number {
    return this.chance();
  }

  randomId(): string {
    return `id${++this.#ids}`.padEnd(22, "_");
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** The wall clock jumps; time as it passes does not. */
  jump(ms: number): void {
    this.#clock += ms;
  }

  /** Ends the present turn, and those that follow from it. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      for (const action of this.#deferred.splice(0)) {
        action();
        quiet = 0;
      }
    }
  }

  /** Lets `ms` milliseconds pass, with all that is due in them. */
  async pass(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await this.settle();
    for (;;) {
      let next: Due | undefined;
      for (const due of this.#timers) if (due.at <= until && (!next || due.at < next.at)) next = due;
      if (!next) break;
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.action();
      await this.settle();
    }
    this.#elapsed = until;
  }
}
