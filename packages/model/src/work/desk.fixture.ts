import type { Runtime } from "@tandem/runtime";
import { silentLogger } from "@tandem/runtime";
import { job } from "../job/jobs.ts";
import type { CommandInput, CommandName } from "../model.ts";
import { Rehearsal } from "../testing/index.ts";
import type { Answer, Jobs, WorkPorts } from "./ports.ts";

/** The user whose worker it is. */
const WORKER = "bot";

/** A command of the worker's. Nothing becomes of it until the test says so. */
export interface Asked {
  readonly command: CommandName<Jobs>;
  readonly input: Record<string, unknown>;
  /** When it was sent, in milliseconds of the worker's clock. */
  readonly at: number;
  /** The server decides it. The worker hears nothing yet, neither of it nor of the state after it. */
  take(): Answer;
  /** The worker hears what became of it. */
  answer(answer: Answer): Promise<void>;
}

/** What a worker works with, all of it by hand: time, the server, what is heard of it and when. */
export class Desk {
  readonly stage = new Rehearsal<Jobs>(job({ lease: 3_000, grace: 2_000 }));
  readonly asked: Asked[] = [];
  readonly ports: WorkPorts;
  #shown = this.stage.state;
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>();
  readonly #listeners = new Set<() => void>();
  #elapsed = 0;

  constructor() {
    const runtime: Runtime = {
      now: () => this.stage.time,
      elapsed: () => this.#elapsed,
      timer: (ms, action) => {
        const timer = { at: this.#elapsed + ms, action };
        this.#timers.add(timer);
        return { cancel: () => void this.#timers.delete(timer) };
      },
      defer: (action) => void setImmediate(action),
      random: () => 0.5,
      randomId: () => "worker",
      logger: silentLogger,
    };
    this.ports = {
      runtime,
      model: "jobs",
      jobs: () => this.#shown,
      watch: (listener) => {
        this.#listeners.add(listener);
        return () => void this.#listeners.delete(listener);
      },
      send: (command, input) => new Promise((resolve) => this.#note(command, input, resolve)),
      tick: () => undefined,
    };
  }

  /** The worker's clock. */
  get elapsed(): number {
    return this.#elapsed;
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** A job in line; the worker does not see it yet. @returns its id */
  start(): string {
    const known = new Set(this.stage.state.jobs.keys());
    this.stage.command("ann", "start", { title: "t" });
    return [...this.stage.state.jobs.keys()].find((id) => !known.has(id)) ?? "";
  }

  /** The worker sees the jobs as they are now. */
  async show(): Promise<void> {
    this.#shown = this.stage.state;
    for (const listener of this.#listeners) listener();
    await turn();
  }

  /** Commands of one kind, in the order in which they were sent. */
  all(command: CommandName<Jobs>): Asked[] {
    return this.asked.filter((one) => one.command === command);
  }

  last(command: CommandName<Jobs>): Asked {
    const found = this.all(command).at(-1);
    if (!found) throw new Error(`no ${command} was sent`);
    return found;
  }

  async pass(ms: number): Promise<void> {
    const until = this.#elapsed + ms;
    await turn();
    for (;;) {
      const next = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#go(next.at);
      next.action();
      await turn();
    }
    this.#go(until);
  }

  #go(to: number): void {
    this.stage.pass(to - this.#elapsed);
    this.#elapsed = to;
  }

  #note<N extends CommandName<Jobs>>(
    command: N,
    input: CommandInput<Jobs, N>,
    resolve: (answer: Answer) => void,
  ): void {
    this.asked.push({
      command,
      input: input as Record<string, unknown>,
      at: this.#elapsed,
      take: () => {
        const outcome = this.stage.command(WORKER, command, input);
        if (outcome.status === "accepted") return { kind: "done" };
        return { kind: "refused", code: outcome.status === "rejected" ? outcome.reason.code : outcome.status };
      },
      answer: (answer) => {
        resolve(answer);
        return turn();
      },
    });
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
