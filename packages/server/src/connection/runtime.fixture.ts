import type { Logger, Runtime, Timer } from "@tandem/runtime";

const START = Date.UTC(2026, 0, 1);

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly action: () => void;
}

/** A line that was logged. */
export interface LogLine {
  readonly level: keyof Logger;
  readonly fields: Record<string, unknown>;
  readonly message: string;
}

/** A runtime whose time stands still until a test moves it. Between two moments everything settles that can. */
export class VirtualRuntime implements Runtime {
  readonly lines: LogLine[] = [];
  readonly logger: Logger;
  readonly #timers = new Set<Entry>();
  #deferred: (() => void)[] = [];
  #elapsed = 0;
  #jump = 0;
  #order = 0;
  #ids = 0;

  constructor() {
    const level = (name: keyof Logger) => (fields: Record<string, unknown>, message: string) => {
      this.lines.push({ level: name, fields, message });
    };
    this.logger = { debug: level("debug"), info: level("info"), warn: level("warn"), error: level("error") };
  }

  now = (): number => START + this.#elapsed + this.#jump;

  elapsed = (): number => this.#elapsed;

  random = (): number => 0.5;

  /** Ids differ in their first letters. */
  randomId = (): string => (++this.#ids).toString(36).padStart(6, "0").padEnd(22, "x");

  timer = (ms: number, action: () => void): Timer => {
    const entry = { at: this.#elapsed + Math.max(0, ms), order: ++this.#order, action };
    this.#timers.add(entry);
    return { cancel: () => void this.#timers.delete(entry) };
  };

  defer = (action: () => void): void => {
    this.#deferred.push(action);
  };

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** The process stands still for a while: nothing that falls due happens in time. */
  stall(ms: number): void {
    this.#elapsed += ms;
  }

  /** The wall clock is set; nothing waits for it. */
  jump(ms: number): void {
    this.#jump += ms;
  }

  /** Lets everything settle that needs no time. */
  async settle(): Promise<void> {
    for (let turns = 0; turns < 100_000; turns++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      const due = this.#deferred;
      if (due.length === 0) return;
      this.#deferred = [];
      for (const action of due) action();
    }
    throw new Error("It goes round in circles.");
  }

  /** Moves time on; what falls due happens in order, each with time to settle. */
  async advance(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await this.settle();
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.at - b.at || a.order - b.order);
      if (!next || next.at > until) break;
      this.#timers.delete(next);
      this.#elapsed = Math.max(this.#elapsed, next.at);
      next.action();
      await this.settle();
    }
    this.#elapsed = until;
    await this.settle();
  }
}
