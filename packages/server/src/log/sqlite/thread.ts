import { Worker } from "node:worker_threads";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Answer, Envelope, FromThread, Job, JobFailure, Reply, ThreadSettings, ToThread } from "./jobs.ts";

/** Times a job may see its thread die before it is given up: it may be what kills the thread. */
const DEATHS = 3;

/** Milliseconds before a thread that died again and again is started anew. */
const RESTART_MS = 1_000;

interface Waiting<J> {
  readonly envelope: Envelope<J>;
  readonly resolve: (answer: never) => void;
  readonly reject: (error: TandemError) => void;
  deaths: number;
}

export interface ThreadOptions {
  readonly name: "writer" | "reader";
  readonly url: URL;
  readonly settings: Omit<ThreadSettings, "first">;
  readonly runtime: Runtime;
  /** Told when a job fails because of the store. */
  readonly onStorageFailure: (reason: string) => void;
  readonly onWorker: ((worker: Worker, name: "writer" | "reader") => void) | undefined;
}

/**
 * A thread that does jobs, and outlives its own death: it is started again and given again what it had not answered, in
 * the order asked. Appends are safe to give again: the marks of their producers tell what was stored.
 *
 * Jobs of one turn go over in one message, and so do their answers.
 */
export class Thread<J> {
  readonly #options: ThreadOptions;
  readonly #waiting = new Map<number, Waiting<J>>();
  #unsent: Envelope<J>[] = [];
  #worker: Worker | undefined;
  #state: "running" | "down" | "closing" | "closed" = "running";
  #lastId = 0;
  #deathsInRow = 0;
  #drained: (() => void) | undefined;

  private constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Starts it. @throws TandemError `storage-unavailable` with what the thread found wrong */
  static async start<J>(options: ThreadOptions): Promise<Thread<J>> {
    const thread = new Thread<J>(options);
    await new Promise<void>((resolve, reject) => {
      const refuse = (reason: string) => reject(new TandemError("storage-unavailable", reason));
      const worker = thread.#spawn(true);
      worker.once("message", (message: FromThread) => {
        if (message.kind === "not-started") refuse(message.reason);
        else resolve();
      });
      worker.once("error", (error) => refuse(`The log's ${options.name} did not start: ${messageOf(error)}`));
      worker.once("exit", () => refuse(`The log's ${options.name} ended before it had started.`));
    });
    thread.#watch();
    return thread;
  }

  /** Jobs that wait for their answer. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** @throws TandemError `storage-unavailable`, or `internal` */
  do<K extends keyof J & string>(kind: K, job: Job<J, K>): Promise<Answer<J, K>> {
    const envelope = { id: ++this.#lastId, kind, job } as Envelope<J>;
    if (this.#unsent.length === 0) this.#options.runtime.defer(() => this.#send());
    this.#unsent.push(envelope);
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.#lastId, { envelope, resolve, reject, deaths: 0 });
    });
  }

  /** Waits for all answers, then ends the thread. */
  async close(): Promise<void> {
    if (this.#waiting.size > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    this.#state = "closing";
    const worker = this.#worker;
    if (!worker) return;
    const ended = new Promise((resolve) => worker.once("exit", resolve));
    worker.postMessage("close" satisfies ToThread<J>);
    await ended;
    this.#state = "closed";
  }

  #send(): void {
    const envelopes = this.#unsent;
    this.#unsent = [];
    // While it is down they wait among the others, and go over when it stands again.
    if (this.#worker && envelopes.length > 0) this.#worker.postMessage(envelopes);
  }

  #spawn(first: boolean): Worker {
    const { url, settings, name, onWorker } = this.#options;
    const worker = new Worker(url, { workerData: { ...settings, first } satisfies ThreadSettings, name });
    this.#worker = worker;
    onWorker?.(worker, name);
    return worker;
  }

  #watch(): void {
    const worker = this.#worker as Worker;
    const { logger } = this.#options.runtime;
    worker.on("message", (message: FromThread) => {
      if (message.kind === "replies") for (const reply of message.replies) this.#settle(reply);
    });
    worker.on("error", (error) => {
      logger.error({ err: error, thread: this.#options.name }, "a thread of the log failed");
    });
    worker.once("exit", (code) => {
      if (this.#state === "closing") return;
      this.#worker = undefined;
      logger.error({ thread: this.#options.name, code }, "a thread of the log ended; it is started again");
      this.#afterDeath();
    });
  }

  #afterDeath(): void {
    this.#unsent = [];
    for (const [id, waiting] of this.#waiting) {
      if (++waiting.deaths >= DEATHS) this.#fail(id, { kind: "storage", reason: "The log's thread ended at this." });
    }
    if (this.#deathsInRow++ === 0) this.#restart();
    else this.#options.runtime.timer(RESTART_MS, () => this.#restart());
  }

  #restart(): void {
    if (this.#state !== "running" && this.#waiting.size === 0) return;
    const worker = this.#spawn(false);
    this.#watch();
    this.#unsent = [];
    worker.postMessage([...this.#waiting.values()].map((waiting) => waiting.envelope));
  }

  #settle(reply: Reply): void {
    this.#deathsInRow = 0;
    if ("failure" in reply) return this.#fail(reply.id, reply.failure);
    const waiting = this.#take(reply.id);
    waiting?.resolve(reply.answer as never);
  }

  #fail(id: number, { kind, reason }: JobFailure): void {
    const waiting = this.#take(id);
    if (kind === "storage") this.#options.onStorageFailure(reason);
    waiting?.reject(new TandemError(kind === "storage" ? "storage-unavailable" : "internal", reason));
  }

  #take(id: number): Waiting<J> | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (this.#waiting.size === 0) this.#drained?.();
    return waiting;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
