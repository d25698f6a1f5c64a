import type { Timer } from "@tandem/runtime";
import type { Job } from "../job/job.ts";
import { leaseOf } from "../job/job.ts";
import { TICKS } from "../job/progress.ts";
import type { Run } from "./attempt.ts";
import { Attempt } from "./attempt.ts";
import type { WorkPorts } from "./ports.ts";

/** Milliseconds of a lease, where none are asked for. */
const LEASE_MS = 15_000;

/** Milliseconds, more or less, before a claim is tried again that could not be told or was not allowed. */
const AGAIN_MS = 1_000;

/** Milliseconds, more or less, for which jobs are thought gone that others were faster to take. */
const GONE_MS = 15_000;

/** How often that wait is doubled, where claims are over before their worker hears of them. */
const DOUBLINGS = 6;

export interface WorkOptions {
  /** Jobs at a time. Default 1. */
  readonly concurrency?: number;
  /** Milliseconds after which the server thinks a job's worker lost when nothing is heard of it. Default 15 s. */
  readonly lease?: number;
  /**
   * Does the work. What it returns (JSON, 16 KiB at most) is the job's result; what it throws fails the attempt: see `JobFailure`. The same job may be
   * done again from its beginning, or from its checkpoint, by this or another worker, where an attempt was lost.
   */
  readonly run: Run;
}

/**
 * Works on a channel's jobs: claims what waits, gives signs of life, tells progress and results. A job is this worker's as long as its lease is; a result
 * counts once, whoever else has been at it.
 */
export class JobWorker {
  readonly #ports: WorkPorts;
  readonly #options: WorkOptions;
  readonly #concurrency: number;
  readonly #id: string;
  readonly #attempts = new Map<Attempt, Promise<void>>();
  /** Claims of which it is not known yet what they got, with the time at which they were sent. */
  readonly #claims = new Map<string, number>();
  /**
   * Jobs that seem to wait here and do not any more: what this process knows is behind. Believed for a while only: where a backup was restored, one may
   * wait again as it did before.
   */
  #gone: ReadonlySet<string> = new Set();
  #believed: Timer | undefined;
  /** Claims in a row that were over before this process heard of what they got. */
  #late = 0;
  readonly #unwatch: () => void;
  #count = 0;
  #asking = false;
  /** The claim that was sent last. */
  #asked: Promise<void> | undefined;
  #hold: Timer | undefined;
  #ticking = false;
  #closed: Promise<void> | undefined;

  /** @throws RangeError on options that cannot be */
  constructor(ports: WorkPorts, options: WorkOptions) {
    checkWorkOptions(options);
    this.#ports = ports;
    this.#options = options;
    this.#concurrency = options.concurrency ?? 1;
    this.#id = ports.runtime.randomId();
    this.#unwatch = ports.watch(() => this.#look());
    this.#look();
  }

  /** Jobs that it is at. */
  get running(): number {
    return this.#attempts.size;
  }

  /**
   * Claims nothing more, aborts what runs and gives it back, unless it is done all the same; so it does with what a claim that is on its way gets.
   * Resolves when all of it is over.
   */
  close(): Promise<void> {
    this.#closed ??= (async () => {
      this.#hold?.cancel();
      this.#believed?.cancel();
      for (const attempt of this.#attempts.keys()) attempt.stop("closed");
      await this.#asked;
      this.#look();
      await Promise.all(this.#attempts.values());
      this.#unwatch();
      this.#ports.tick(undefined);
    })();
    return this.#closed;
  }

  #look(): void {
    const state = this.#ports.jobs();
    if (!state) return;
    for (const attempt of this.#attempts.keys()) attempt.see(state.jobs.get(attempt.held.job));
    let waits = false;
    for (const job of state.jobs.values()) {
      if (job.phase.kind === "waiting" && !this.#gone.has(turnOf(job))) waits = true;
      const lease = leaseOf(job);
      const claimed = lease && this.#claims.get(lease.worker);
      if (lease === undefined || claimed === undefined) continue;
      this.#claims.delete(lease.worker);
      this.#late = 0;
      this.#begin(new Attempt(this.#ports, job, lease, claimed, () => this.#tick()));
    }
    if (waits) this.#claim();
  }

  #begin(attempt: Attempt): void {
    const run = this.#closed ? this.#ports.send("release", attempt.held) : attempt.run(this.#options.run);
    const over = run.then(() => {
      this.#attempts.delete(attempt);
      this.#tick();
      this.#look();
    });
    this.#attempts.set(attempt, over);
  }

  /** One claim at a time, as long as there is room. */
  #claim(): void {
    if (this.#closed || this.#asking || this.#hold) return;
    if (this.#attempts.size + this.#claims.size >= this.#concurrency) return;
    this.#asked = this.#ask(`${this.#id}-${++this.#count}`);
  }

  async #ask(worker: string): Promise<void> {
    const { runtime } = this.#ports;
    const { lease = LEASE_MS } = this.#options;
    this.#asking = true;
    this.#claims.set(worker, runtime.elapsed());
    const seen = [...(this.#ports.jobs()?.jobs.values() ?? [])].filter(({ phase }) => phase.kind === "waiting");
    const answer = await this.#ports.send("claim", { worker, lease });
    this.#asking = false;
    if (this.#closed) return;
    if (answer.kind === "done") {
      // What it got is shown soon; where it is not, the lease was over before this process heard of it.
      if (this.#claims.has(worker)) runtime.timer(lease, () => this.#forget(worker));
      return this.#look();
    }
    if (answer.kind === "refused") this.#claims.delete(worker);
    if (answer.kind === "refused" && answer.code === "nothing-waiting") {
      // Others were faster: none of those that were seen here waits any more. However often this process hears of something else, it asks for what is new.
      this.#believeGone(seen);
      return this.#look();
    }
    if (answer.kind === "unknown") runtime.timer(lease, () => this.#forget(worker));
    this.#pause(AGAIN_MS);
  }

  #believeGone(jobs: readonly Job[]): void {
    const { runtime } = this.#ports;
    this.#gone = new Set(jobs.map(turnOf));
    this.#believed?.cancel();
    this.#believed = runtime.timer(GONE_MS * (0.5 + runtime.random()), () => {
      this.#gone = new Set();
      this.#look();
    });
  }

  /** Who hears so late of what it got does others harm by asking for more: it lets them go first. */
  #forget(worker: string): void {
    if (!this.#claims.delete(worker) || this.#closed) return;
    this.#pause(AGAIN_MS * 2 ** Math.min(this.#late++, DOUBLINGS));
  }

  #pause(ms: number): void {
    const { runtime } = this.#ports;
    this.#hold?.cancel();
    this.#hold = runtime.timer(ms * (0.5 + runtime.random()), () => {
      this.#hold = undefined;
      this.#look();
    });
  }

  /** Signals how far all are, once for all that changes in a turn. */
  #tick(): void {
    if (this.#ticking || this.#closed) return;
    this.#ticking = true;
    this.#ports.runtime.defer(() => {
      this.#ticking = false;
      if (this.#closed) return;
      const held = [...this.#attempts.keys()].filter(({ isHeld }) => isHeld);
      const ticks = held.map(({ held: { job, token }, progress }) => [job, { token, progress }] as const);
      this.#ports.tick(ticks.length > 0 ? Object.fromEntries(ticks) : undefined);
    });
  }
}

/** For before anything is opened for a worker. @throws RangeError on options that cannot be */
export function checkWorkOptions({ concurrency = 1 }: WorkOptions): void {
  if (Number.isSafeInteger(concurrency) && concurrency >= 1 && concurrency <= TICKS) return;
  throw new RangeError(`concurrency is a whole number from 1 to ${TICKS}`);
}

/** A job as it waits this time: it does so under another token each time. */
function turnOf({ id, token }: Job): string {
  return `${id} ${token}`;
}
