import type { Position } from "@tandem/protocol";
import { errorOf, TandemError } from "@tandem/protocol";
import type { Runtime, Timer } from "@tandem/runtime";
import { Emitter, fullJitter } from "@tandem/runtime";
import * as v from "valibot";
import type { Identity } from "./authenticator.ts";
import { CLOCK_SKEW, MAX_TOKEN_LIFETIME } from "./claims.ts";
import type { RevocationLog } from "./revocation-log.ts";
import { REVOCATION_CHANNEL, RevocationWriter, readRevocation } from "./revocation-log.ts";
import type { Revocation, RevocationRefusal } from "./revocations.ts";
import { RevocationSchema, Revocations } from "./revocations.ts";

/** Milliseconds between two looks at the log. */
const POLL = 1_000;
/** Milliseconds without learning anything after which nothing may be delivered. */
const STALE = 5_000;
/** Milliseconds between two clean-ups of what is over. */
const CLEAN_UP = 3_600_000;
/** One read: runs of this size, in turns. */
const READ_BOUNDS = { events: 500, bytes: 262_144 };
/** How often one look may begin anew because the history changed under it. */
const MAX_RESETS = 4;
/** Most revocations that wait to be stored. */
const MAX_WAITING = 256;
/** Most revocations that are remembered; no further one is taken while there are as many. */
const MAX_REMEMBERED = 100_000;
/** How often storing one is tried before the caller is told that it failed. */
const MAX_ATTEMPTS = 4;

export interface RevocationFeedOptions {
  readonly log: RevocationLog;
  readonly runtime: Runtime;
  /** The longest life of a token, in milliseconds. Default 30 days. */
  readonly lifetime?: number | undefined;
}

/** Follows the channel of revocations, and adds to it. */
export interface RevocationFeed {
  /** Reads the whole history, then follows. Rejects when the log cannot be read; it may be called again then. */
  start(): Promise<void>;
  /** Ends it for good. */
  stop(): void;
  /** The channel may have changed: looks now instead of at the next poll. */
  hint(): void;
  /** Has this identity been revoked, as far as this node knows? */
  isRevoked(identity: Identity): boolean;
  /** The code to refuse it with, if it has (see `Revocations.refusalOf`). */
  refusalOf(identity: Identity): RevocationRefusal | undefined;
  /**
   * Revokes for every node. Resolves once it is durable and in effect here; other nodes follow within 2 seconds.
   * Revoking twice does no harm. `before` may lie up to 30 seconds ahead, for an issuer whose clock may be ahead.
   *
   * @throws TandemError `bad-message`, `overloaded`, `storage-unavailable` (it may have taken effect), `shutting-down`
   */
  revoke(revocation: Revocation): Promise<void>;
  /** Is what it knows at most 5 seconds old? Not so before `start` resolved. */
  fresh(): boolean;
  /** Called with each revocation that is new here. @returns the call that ends it */
  onRevoked(listener: (revocation: Revocation) => void): () => void;
  /** Called when `fresh()` changes. @returns the call that ends it */
  onFresh(listener: (fresh: boolean) => void): () => void;
}

export function createRevocationFeed(options: RevocationFeedOptions): RevocationFeed {
  return new Feed(options);
}

class Feed implements RevocationFeed {
  readonly #log: RevocationLog;
  readonly #runtime: Runtime;
  readonly #lifetime: number;
  readonly #revocations: Revocations;
  readonly #writer: RevocationWriter;
  readonly #revoked: Emitter<Revocation>;
  readonly #freshness: Emitter<boolean>;
  readonly #timers = new Map<"poll" | "stale" | "clean-up" | "retry", Timer>();
  /** Wakes whoever waits to try again, so that a stop is not waited for. */
  #wake: (() => void) | undefined;
  #phase: "new" | "starting" | "following" | "stopped" = "new";
  #position: Position | undefined;
  /** The look that is under way: its number, and when it began. A look that hangs is given up for a new one. */
  #look: { readonly number: number; readonly began: number } | undefined;
  #looks = 0;
  #lookAgain = false;
  /** `elapsed` time for which everything is known. */
  #learnt = Number.NEGATIVE_INFINITY;
  #toldFresh = false;
  /** Clocks at the start: the wall clock may jump, and a jump must not make us forget. */
  #started = { now: 0, elapsed: 0 };
  #storing: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor({ log, runtime, lifetime = MAX_TOKEN_LIFETIME }: RevocationFeedOptions) {
    this.#log = log;
    this.#runtime = runtime;
    this.#lifetime = lifetime;
    this.#revocations = new Revocations(lifetime);
    this.#writer = new RevocationWriter(log, runtime);
    const onError = (error: unknown) => runtime.logger.error({ err: error }, "a listener to revocations failed");
    this.#revoked = new Emitter(onError);
    this.#freshness = new Emitter(onError);
  }

  async start(): Promise<void> {
    if (this.#phase !== "new") throw new Error("The feed of revocations was started before.");
    this.#phase = "starting";
    this.#started = { now: this.#runtime.now(), elapsed: this.#runtime.elapsed() };
    try {
      const began = this.#runtime.elapsed();
      if (!(await this.#catchUp(this.#nextLook(began)))) throw errorOf("shutting-down");
      this.#look = undefined;
      this.#phase = "following";
      this.#learn(began);
    } catch (error) {
      if (!this.#isStopped()) this.#phase = "new";
      throw error;
    }
    this.#poll();
    this.#cleanUp();
  }

  stop(): void {
    this.#phase = "stopped";
    for (const timer of this.#timers.values()) timer.cancel();
    this.#timers.clear();
    this.#wake?.();
    this.#tellFresh();
  }

  hint(): void {
    this.#lookNow();
  }

  isRevoked(identity: Identity): boolean {
    return this.#revocations.isRevoked(identity);
  }

  refusalOf(identity: Identity): RevocationRefusal | undefined {
    return this.#revocations.refusalOf(identity);
  }

  fresh(): boolean {
    return this.#phase === "following" && this.#runtime.elapsed() - this.#learnt < STALE;
  }

  onRevoked(listener: (revocation: Revocation) => void): () => void {
    return this.#revoked.on(listener);
  }

  onFresh(listener: (fresh: boolean) => void): () => void {
    return this.#freshness.on(listener);
  }

  async revoke(revocation: Revocation): Promise<void> {
    const checked = this.#check(revocation);
    if (this.#isStopped()) throw errorOf("shutting-down");
    if (this.#waiting >= MAX_WAITING || this.#revocations.size >= MAX_REMEMBERED) throw errorOf("overloaded");
    this.#waiting++;
    const stored = this.#storing.then(() => this.#store(checked));
    this.#storing = stored.catch(() => undefined);
    try {
      await stored;
    } finally {
      this.#waiting--;
    }
    this.#apply(checked);
    this.#lookNow();
  }

  /** What cannot be, and what could not be forgotten in time, is not taken. */
  #check(revocation: Revocation): Revocation {
    const parsed = v.safeParse(RevocationSchema, revocation);
    if (!parsed.success)
      throw new TandemError("bad-message", "This is not a revocation of a token, a user or a tenant.");
    const checked = parsed.output;
    const now = this.#runtime.now();
    if (checked.kind === "token") {
      // No token is accepted for longer than this.
      return { ...checked, until: Math.min(checked.until, now + this.#lifetime + 2 * CLOCK_SKEW) };
    }
    if (checked.kind !== "rights" && checked.before > now + CLOCK_SKEW) {
      throw new TandemError("bad-message", "A revocation may lie 30 seconds ahead at most.");
    }
    return checked;
  }

  async #store(revocation: Revocation): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#isStopped()) throw errorOf("shutting-down");
      try {
        return await this.#writer.append(revocation);
      } catch (error) {
        if (!(error instanceof TandemError) || !error.retryable || attempt === MAX_ATTEMPTS) throw error;
      }
      await this.#pause(fullJitter(attempt, this.#runtime.random(), 200, 2_000));
    }
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      this.#setTimer("retry", ms, resolve);
    });
  }

  /** Begins a look at the log, unless one is under way: then another follows it, as that one may have been too early. */
  #lookNow(): void {
    if (this.#phase !== "following") return;
    const began = this.#runtime.elapsed();
    if (this.#look && began - this.#look.began < STALE) {
      this.#lookAgain = true;
      return;
    }
    this.#lookAgain = false;
    const look = this.#nextLook(began);
    this.#catchUp(look).then(
      (done) => {
        if (done) this.#learn(began);
        this.#endLook(look);
      },
      (error) => {
        this.#runtime.logger.warn({ err: error }, "revocations could not be read");
        // Not at once: the next poll tries again.
        this.#lookAgain = false;
        this.#endLook(look);
      },
    );
  }

  #nextLook(began: number): number {
    this.#look = { number: ++this.#looks, began };
    return this.#look.number;
  }

  #endLook(look: number): void {
    if (this.#look?.number !== look) return;
    this.#look = undefined;
    if (this.#lookAgain) this.#lookNow();
  }

  /** Reads up to the head. @returns false when it was given up meanwhile */
  async #catchUp(look: number): Promise<boolean> {
    let after: Position | number = this.#position ?? 0;
    for (let resets = 0; ; ) {
      const read = await this.#log.read(REVOCATION_CHANNEL, after, READ_BOUNDS);
      if (this.#isStopped() || this.#look?.number !== look) return false;
      if (read.kind === "reset") {
        if (++resets > MAX_RESETS) throw new TandemError("internal", "The history of revocations changes too fast.");
        // Trimmed, or another history (a restored backup): all of it again. What is known stays known.
        this.#position = undefined;
        after = read.head.first - 1;
        continue;
      }
      for (const event of read.events) {
        const revocation = readRevocation(event);
        if (revocation) this.#apply(revocation);
        else this.#runtime.logger.error({ offset: event.offset }, "a revocation in the log cannot be read");
      }
      const last = read.events.at(-1);
      const offset: number = last?.offset ?? (typeof after === "number" ? after : after.offset);
      after = { epoch: read.head.epoch, offset, tag: last?.tag ?? read.tagBefore };
      this.#position = after;
      if (offset >= read.head.offset) return true;
      if (!last) throw new TandemError("internal", "The log gave no revocations where its head says there are some.");
    }
  }

  #apply(revocation: Revocation): void {
    if (this.#revocations.apply(revocation)) this.#revoked.emit(revocation);
  }

  /** Everything that was durable at `began` is known. */
  #learn(began: number): void {
    this.#learnt = began;
    this.#tellFresh();
    this.#setTimer("stale", Math.max(0, began + STALE - this.#runtime.elapsed()), () => this.#tellFresh());
  }

  #tellFresh(): void {
    const fresh = this.fresh();
    if (fresh === this.#toldFresh) return;
    this.#toldFresh = fresh;
    this.#freshness.emit(fresh);
  }

  #poll(): void {
    this.#setTimer("poll", POLL, () => {
      this.#lookNow();
      this.#poll();
    });
  }

  #cleanUp(): void {
    const { now, elapsed } = this.#started;
    // A clock that jumped ahead must not make us forget, nor trim, what still matters.
    const steady = Math.min(this.#runtime.now(), now + this.#runtime.elapsed() - elapsed);
    this.#revocations.forget(steady);
    const before = steady - this.#lifetime - 4 * CLOCK_SKEW;
    if (this.#position && this.#position.offset > 0 && before > 0) {
      this.#log
        .trim(REVOCATION_CHANNEL, { before })
        .catch((error: unknown) => this.#runtime.logger.warn({ err: error }, "old revocations could not be trimmed"));
    }
    this.#setTimer("clean-up", CLEAN_UP, () => this.#cleanUp());
  }

  #setTimer(name: "poll" | "stale" | "clean-up" | "retry", ms: number, action: () => void): void {
    this.#timers.get(name)?.cancel();
    if (!this.#isStopped()) this.#timers.set(name, this.#runtime.timer(ms, action));
  }

  #isStopped(): boolean {
    return this.#phase === "stopped";
  }
}
