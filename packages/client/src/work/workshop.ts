import type { JobWorker } from "@tandem/model/work";
import type { Runtime } from "@tandem/runtime";
import type { Rider } from "../rider.ts";

/** The workers of a client: they end with it. */
export class Workshop implements Rider {
  readonly runtime: Runtime;
  readonly #workers = new Set<JobWorker>();
  #closed = false;

  constructor(runtime: Runtime) {
    this.runtime = runtime;
  }

  enter(worker: JobWorker): void {
    this.#workers.add(worker);
    if (this.#closed) void worker.close();
  }

  leave(worker: JobWorker): void {
    this.#workers.delete(worker);
  }

  attach(): void {}

  detach(): void {}

  close(): void {
    this.#closed = true;
    for (const worker of this.#workers) void worker.close();
  }
}
