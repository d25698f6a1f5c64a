import type { Position } from "@tandem/protocol";
import { errorOf, mintProducer, TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import type { Channel } from "../channel/channel.ts";
import { toError } from "../channel/validation.ts";
import type { AppendResult, Producer, Refusal } from "../log/log.ts";
import { APPLICATION, positionAfter } from "../log/log.ts";

/** Publishes of the application to one channel that may wait. */
const WAITING = 10_000;

/** A publish that the log cannot take for this long, in milliseconds, comes back to the application. */
const PATIENCE_MS = 30_000;

/** After this long without a publish, in milliseconds, a new producer takes over, long before the old one's marks are forgotten. */
const PRODUCER_MS = 86_400_000;

/** Stored in place of a publish that was given back to the application: it does not take effect later. */
const GIVEN_UP: Refusal = {
  code: "storage-unavailable",
  message: "The log could not take it in time, and it was given up.",
};

/** Something to append under the application's producer: however often it is asked for, it takes effect once. */
export interface Attempt {
  /** `bodyDigest` of what it is. */
  readonly digest: string;
  /** @param refusal settles its number instead of it */
  append(channel: Channel, producer: Producer, refusal: Refusal | undefined): Promise<AppendResult>;
}

interface Waiting {
  readonly attempt: Attempt;
  readonly since: number;
  /** It was given back to the application. Its number still has to be settled, by a refusal if it was not before. */
  givenUp: boolean;
  resolve(position: Position): void;
  reject(error: TandemError): void;
}

/**
 * The application's own publishes and commands to one channel, by a producer as each has one: what failed for the moment
 * is tried again in order, and takes effect once.
 */
export class Publisher {
  readonly #channel: () => Promise<Channel>;
  readonly #runtime: Runtime;
  readonly #window: number;
  #producer: string;
  #settled = 0;
  #waiting: Waiting[] = [];
  #running = false;
  #used: number;

  /** @param window publishes that are asked for at a time: no more than the log keeps outcomes of, so that each can be asked for again */
  constructor(channel: () => Promise<Channel>, runtime: Runtime, window: number) {
    this.#channel = channel;
    this.#runtime = runtime;
    this.#window = window;
    this.#used = runtime.elapsed();
    this.#producer = this.#mint();
  }

  #mint(): string {
    return mintProducer(this.#runtime.now(), this.#runtime.randomId());
  }

  get idle(): boolean {
    return !this.#running;
  }

  /** @throws TandemError (by rejection) `overloaded`, the refusal; what the log answered last when patience ended */
  push(attempt: Attempt): Promise<Position> {
    if (this.#waiting.length >= WAITING) return Promise.reject(errorOf("overloaded", { retryAfter: 1_000 }));
    return new Promise((resolve, reject) => {
      const now = this.#runtime.elapsed();
      // Nothing waits, so nothing can be asked again of the one before.
      if (!this.#running && now - this.#used > PRODUCER_MS) this.#begin();
      this.#used = now;
      this.#waiting.push({ attempt, since: now, givenUp: false, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let failures = 0; this.#waiting.length > 0; ) {
      const error = await this.#attempt();
      if (!error) {
        failures = 0;
        continue;
      }
      if (this.#beginAgain(error)) continue;
      this.#giveBack(error);
      const wait = Math.max(fullJitter(failures++, this.#runtime.random(), 100, 2_000), error.retryAfter ?? 0);
      await new Promise<void>((resolve) => this.#runtime.timer(wait, resolve));
    }
    this.#running = false;
  }

  /** Asks for a window of what waits, in order. @returns what kept the first of the rest from being settled */
  async #attempt(): Promise<TandemError | undefined> {
    const asked = this.#waiting.slice(0, this.#window);
    const answers = await this.#ask(asked);
    let settled = 0;
    for (const [at, answer] of answers.entries()) {
      const waiting = asked[at] as Waiting;
      const error = answer instanceof TandemError ? answer : this.#conclude(waiting, answer);
      if (error) {
        this.#settle(settled);
        return error;
      }
      settled++;
    }
    this.#settle(settled);
    return undefined;
  }

  async #ask(asked: readonly Waiting[]): Promise<(AppendResult | TandemError)[]> {
    try {
      const channel = await this.#channel();
      return await Promise.all(
        asked.map(({ attempt, givenUp }, at) => {
          const { digest } = attempt;
          const producer = { id: this.#producer, user: APPLICATION, seq: this.#settled + at + 1, digest };
          return attempt.append(channel, producer, givenUp ? GIVEN_UP : undefined).catch(toTandemError);
        }),
      );
    } catch (error) {
      return [toTandemError(error)];
    }
  }

  #settle(count: number): void {
    this.#settled += count;
    this.#waiting = this.#waiting.slice(count);
  }

  /** @returns an error where the log has not settled it */
  #conclude(waiting: Waiting, result: AppendResult): TandemError | undefined {
    if (result.kind === "committed") {
      waiting.resolve(positionAfter(result));
      return undefined;
    }
    const outcome = result.kind === "settled" ? result.outcome : result;
    if (outcome.kind === "committed") waiting.resolve(outcome.position);
    else if (outcome.kind === "refused") waiting.reject(toError(outcome.refusal));
    else return errorOf(outcome.kind === "unknown" ? "unknown-outcome" : outcome.kind);
    return undefined;
  }

  #begin(): void {
    this.#producer = this.#mint();
    this.#settled = 0;
  }

  /**
   * Where the producer's marks are gone: they went back (a restored past) and have none of what waits, so that a new producer
   * asks for it from the start; or they cannot tell any more, and the first that waits comes back as `unknown-outcome`.
   */
  #beginAgain(error: TandemError): boolean {
    if (error.code !== "out-of-sequence" && error.retryable) return false;
    this.#begin();
    if (error.code === "out-of-sequence") return true;
    this.#waiting[0]?.reject(error);
    this.#waiting = this.#waiting.slice(1);
    return true;
  }

  /** Gives those back to the application whose time is over; their place in the line stays. */
  #giveBack(error: TandemError): void {
    const over = this.#runtime.elapsed() - PATIENCE_MS;
    for (const waiting of this.#waiting) {
      if (waiting.since > over) return;
      if (!waiting.givenUp) waiting.reject(error);
      waiting.givenUp = true;
    }
  }
}

function toTandemError(error: unknown): TandemError {
  return error instanceof TandemError ? error : errorOf("internal", { cause: error });
}
