import type { ErrorCode, ErrorMessage, Welcome } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import { fullJitter } from "@tandem/runtime";
import { Alarm } from "../alarm.ts";
import { knownCode } from "./refusal.ts";
import type { TokenSource } from "./token.ts";
import { fetchToken } from "./token.ts";

/** The share of a token's remaining life after which a fresh one is asked for. */
const SHARE = 0.8;
/** Least milliseconds between renewals that depend on the server: the application may hand out the same token again. */
const LEAST_MS = 1_000;
/** Longest single timer in milliseconds: those of platforms overflow past 2^31. */
const LONGEST_MS = 6 * 3_600_000;
/** Milliseconds that the server has to answer. */
const ANSWER_MS = 10_000;

export interface RenewalEvents {
  /** Sends `refresh`. @returns the request's id */
  send(token: string): number;
  /** There is no fresh token yet, and another try will be made. */
  delayed(reason: ErrorCode): void;
  /** The server will not have a fresh token, nor the next one. */
  refused(code: ErrorCode, message: string): void;
  unanswered(): void;
}

/** Keeps a live connection's token fresh: before it ends, and whenever the server asks. One renewal at a time. */
export class Renewal {
  readonly #runtime: Runtime;
  readonly #token: TokenSource;
  readonly #events: RenewalEvents;
  readonly #alarm: Alarm;
  /** Asked of the application (the call that gives that up), or of the server (the request's id). */
  #underWay: (() => void) | number | undefined;
  #failures = 0;
  /** The last one was refused for good. */
  #refused = false;

  constructor(runtime: Runtime, token: TokenSource, events: RenewalEvents) {
    this.#runtime = runtime;
    this.#token = token;
    this.#events = events;
    this.#alarm = new Alarm(runtime);
  }

  /** Is this the id of the request that waits for its answer? */
  awaits(id: number | undefined): boolean {
    return id !== undefined && id === this.#underWay;
  }

  /** The server has accepted a token: renews it in good time. */
  accepted({ expires, time }: Welcome): void {
    this.stop();
    this.#failures = 0;
    this.#refused = false;
    if (expires === undefined) return;
    this.#renewAt(this.#runtime.elapsed() + Math.max((expires - time) * SHARE, LEAST_MS));
  }

  rejected({ code, message, retryable, retryAfter }: ErrorMessage): void {
    this.stop();
    // A token made in the very second of a revocation falls under it, and one that was kept too: the next one need not.
    const again = retryable || !this.#refused;
    this.#refused = !retryable;
    if (again) this.#later(knownCode(code), retryAfter ?? LEAST_MS);
    else this.#events.refused(knownCode(code), message);
  }

  renew(): void {
    if (this.#underWay !== undefined) return;
    this.#alarm.cancel();
    this.#underWay = fetchToken(this.#runtime, this.#token, (result) => {
      this.#underWay = undefined;
      if (typeof result !== "string") return this.#later(result.code);
      this.#underWay = this.#events.send(result);
      this.#alarm.set(ANSWER_MS, () => this.#events.unanswered());
    });
  }

  stop(): void {
    this.#alarm.cancel();
    if (typeof this.#underWay === "function") this.#underWay();
    this.#underWay = undefined;
  }

  #renewAt(due: number): void {
    const wait = due - this.#runtime.elapsed();
    if (wait <= 0) this.renew();
    else this.#alarm.set(Math.min(wait, LONGEST_MS), () => this.#renewAt(due));
  }

  #later(reason: ErrorCode, atLeast = 0): void {
    const wait = Math.max(atLeast, fullJitter(this.#failures++, this.#runtime.random()));
    this.#alarm.set(wait, () => this.renew());
    this.#events.delayed(reason);
  }
}
