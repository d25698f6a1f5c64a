import { TandemError } from "@tandem/protocol";
import type { Append, AppendResult } from "../log.ts";
import type { Value } from "./flat.ts";
import { ResultReader, writeAppend } from "./flat.ts";
import type { AppendAnswer } from "./jobs.ts";

interface Call {
  readonly count: number;
  readonly bytes: number;
  readonly resolve: (results: AppendResult[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Most that waits to be committed. */
export interface QueueBounds {
  /** Appends. Default 65,536. */
  readonly appends: number;
  /** Letters of payload. Default 64 Mi. */
  readonly bytes: number;
}

/** Collects the appends of one turn into one job. */
export class AppendQueue {
  readonly #bounds: QueueBounds;
  readonly #send: (counts: readonly number[], values: readonly Value[]) => Promise<AppendAnswer>;
  readonly #defer: (action: () => void) => void;
  #calls: Call[] = [];
  #values: Value[] = [];
  #appends = 0;
  #bytes = 0;

  constructor(
    bounds: QueueBounds,
    defer: (action: () => void) => void,
    send: (counts: readonly number[], values: readonly Value[]) => Promise<AppendAnswer>,
  ) {
    this.#bounds = bounds;
    this.#send = send;
    this.#defer = defer;
  }

  /** @throws TandemError `overloaded` when too much waits */
  add(batch: readonly Append[]): Promise<AppendResult[]> {
    let bytes = 0;
    for (const { events } of batch) for (const { data } of events) bytes += data.length;
    // A batch that is larger than the bound by itself passes when nothing waits.
    const full = this.#appends + batch.length > this.#bounds.appends || this.#bytes + bytes > this.#bounds.bytes;
    if (full && this.#appends > 0) {
      throw new TandemError("overloaded", "Too many publishes wait to be stored.", { retryAfter: 100 });
    }
    this.#appends += batch.length;
    this.#bytes += bytes;
    for (const append of batch) writeAppend(this.#values, append);
    if (this.#calls.length === 0) this.#defer(() => this.flush());
    return new Promise((resolve, reject) => {
      this.#calls.push({ count: batch.length, bytes, resolve, reject });
    });
  }

  /** Hands over what was collected. */
  flush(): void {
    const calls = this.#calls;
    if (calls.length === 0) return;
    const values = this.#values;
    this.#calls = [];
    this.#values = [];
    const counts = calls.map((call) => call.count);
    this.#send(counts, values).then(
      (answer) => this.#settle(calls, answer),
      (error: unknown) => {
        for (const call of calls) this.#finish(call).reject(error);
      },
    );
  }

  #settle(calls: readonly Call[], { values, failed }: AppendAnswer): void {
    const reader = new ResultReader(values);
    for (const [index, call] of calls.entries()) {
      const reason = failed?.get(index);
      if (reason !== undefined) {
        this.#finish(call).reject(new TandemError("internal", `The append could not be stored: ${reason}`));
        continue;
      }
      const results: AppendResult[] = [];
      for (let left = call.count; left > 0; left--) results.push(reader.next());
      this.#finish(call).resolve(results);
    }
  }

  #finish(call: Call): Call {
    this.#appends -= call.count;
    this.#bytes -= call.bytes;
    return call;
  }
}
