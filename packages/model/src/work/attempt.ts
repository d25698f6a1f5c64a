import type { Timer } from "@tandem/runtime";
import type { Job, Lease } from "../job/job.ts";
import { leaseOf } from "../job/job.ts";
import { toJobError } from "./failure.ts";
import type { Answer, WorkPorts } from "./ports.ts";
import type { Held, Told } from "./telling.ts";
import { Telling } from "./telling.ts";

/** Milliseconds before what could not be told is told again. */
const AGAIN_MS = 1_000;

/** What a worker's function is given. */
export interface Work {
  /** As it was claimed: its input, its checkpoint, how often it was tried. */
  readonly job: Job;
  readonly input: unknown;
  /**
   * Aborts when the job is cancelled, when it is lost (nothing was heard from the server for so long that another worker may have it), and when the worker is
   * closed. What is returned after that still counts where the job is still held; what is thrown after it does not.
   */
  readonly signal: AbortSignal;
  /** The job's lock: under it, writes to the channel that are protected by it are refused once another has the job. */
  readonly fence: { readonly name: string; readonly token: number };
  /**
   * How far it is, from 0 to 1; call it as often as you like. The newest is stored once a second; it is signalled in between where the channel declares that.
   *
   * @param told the step that it is at, or more
   */
  progress(fraction: number, told?: string | Told): void;
  /** Adds a line to the job's log, 500 letters at most. */
  log(line: string): void;
}

export type Run = (work: Work) => unknown;

/** Why an attempt is over before its function is. */
type Stop = "cancelled" | "lost" | "closed";

/** One attempt at a job, under one lease. */
export class Attempt {
  readonly held: Held;
  readonly #ports: WorkPorts;
  readonly #job: Job;
  readonly #lease: Lease;
  readonly #controller = new AbortController();
  readonly #telling: Telling;
  readonly #ticked: () => void;
  /** When the last sign of life that the server has taken was sent, by this process's clock. */
  #alive: number;
  #beat: Timer | undefined;
  #stop: Stop | undefined;
  #asking = false;
  #settling = false;

  /** @param ticked it is further than it was */
  constructor(ports: WorkPorts, job: Job, lease: Lease, claimed: number, ticked: () => void) {
    this.#ports = ports;
    this.#job = job;
    this.#lease = lease;
    this.#ticked = ticked;
    this.#alive = claimed;
    this.held = { job: job.id, token: job.token };
    this.#telling = new Telling(ports, this.held, job.progress, (answer, sent) => this.#answered(answer, sent));
  }

  get progress(): number {
    return this.#telling.furthest;
  }

  /** Does it still count, as far as this process knows? */
  get isHeld(): boolean {
    return this.#stop !== "lost";
  }

  /** Runs the function, and tells what came of it. Resolves when that is settled. Never rejects. */
  async run(run: Run): Promise<void> {
    this.#nextBeat();
    let answer: () => Promise<Answer>;
    try {
      const result = await run(this.#work());
      const completion = { ...this.held, ...(result === undefined ? {} : { result }) };
      answer = () => this.#ports.send("complete", completion);
    } catch (thrown) {
      const error = toJobError(thrown);
      answer = () =>
        this.#stop === undefined
          ? this.#ports.send("fail", { ...this.held, error })
          : this.#ports.send("release", this.held);
    }
    this.#telling.end();
    this.#settling = true;
    await this.#settle(answer);
    this.#beat?.cancel();
  }

  /** The job as it is now; `undefined`: it is not kept any more. */
  see(job: Job | undefined): void {
    // What becomes of it is known by the answer from here on: what shows may be its own outcome.
    if (this.#settling) return;
    if (!job || job.token !== this.held.token || !leaseOf(job)) this.stop("lost");
    else if (job.phase.kind === "cancelling") this.stop("cancelled");
  }

  stop(why: Stop): void {
    if (this.#stop === "lost" || this.#stop === why) return;
    this.#stop = why;
    if (why === "lost") {
      this.#telling.drop();
      this.#beat?.cancel();
    }
    this.#controller.abort(new DOMException(`The job was ${why === "closed" ? "given back" : why}.`, "AbortError"));
  }

  #work(): Work {
    return {
      job: this.#job,
      input: this.#job.input,
      signal: this.#controller.signal,
      fence: { name: `${this.#ports.model}/${this.held.job}`, token: this.held.token },
      progress: (fraction, told = {}) => {
        const before = this.progress;
        this.#telling.progress(fraction, typeof told === "string" ? { step: told } : told);
        if (this.progress > before) this.#ticked();
      },
      log: (line) => this.#telling.log(line),
    };
  }

  /** Tells the outcome until it is settled, or of no account any more. Telling it twice does no harm: after the first the lease is over. */
  async #settle(tell: () => Promise<Answer>): Promise<void> {
    while (this.isHeld) {
      const answer = await tell();
      if (answer.kind === "done") return;
      if (answer.kind === "unknown") {
        await new Promise<void>((resolve) => this.#ports.runtime.timer(AGAIN_MS, resolve));
        continue;
      }
      if (answer.code !== "stale-lease" && answer.code !== "ended" && answer.code !== "unknown-job") {
        const message = `The outcome was refused: ${answer.code}.`;
        const error = { code: "invalid-result", message, recoverable: false };
        await this.#ports.send("fail", { ...this.held, error });
      }
      return;
    }
  }

  /** A sign of life when there was none for a third of the lease, one at a time; and the end, when none came through for too long. */
  #nextBeat(): void {
    const { runtime } = this.#ports;
    const { ms, grace } = this.#lease;
    const left = this.#alive + ms + grace - runtime.elapsed();
    this.#beat = runtime.timer(Math.min(ms / 3, Math.max(0, left)), () => {
      if (!this.isHeld) return;
      const now = runtime.elapsed();
      if (now - this.#alive >= ms + grace) return this.stop("lost");
      if (now - this.#alive >= ms / 3 && !this.#asking) void this.#sign(now);
      this.#nextBeat();
    });
  }

  async #sign(now: number): Promise<void> {
    this.#asking = true;
    this.#answered(await this.#ports.send("heartbeat", this.held), now);
    this.#asking = false;
  }

  #answered(answer: Answer, sent: number): void {
    if (answer.kind === "done") this.#alive = Math.max(this.#alive, sent);
    if (answer.kind === "refused" && (answer.code === "stale-lease" || answer.code === "ended")) this.stop("lost");
  }
}
