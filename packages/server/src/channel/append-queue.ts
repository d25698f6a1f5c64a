import { errorOf } from "@tandem/protocol";
import type { Append, AppendResult, Log, LogEvent } from "../log/log.ts";
import { idsOf } from "../log/log.ts";

/** Most appends of one channel that wait on a node. */
const WAITING = 8_192;

/** Most bytes of payload that wait with them. */
const WAITING_BYTES = 16_777_216;

/** Most appends that go to the log in one batch. */
const BATCH = 512;

/** How long a publisher is asked to wait when the queue is full, in milliseconds. */
const OVERLOAD_MS = 1_000;

/** Events that the log committed in one go: contiguous, the first after `{epoch, from, tagBefore}`. */
export interface Committed {
  readonly epoch: string;
  readonly from: number;
  readonly tagBefore: string;
  readonly events: readonly LogEvent[];
}

/** An append before it is sent: the epoch that it may give the channel is the batch's. */
export type Appending = Omit<Append, "birth">;

interface Waiting {
  readonly append: Appending;
  settle(result: AppendResult): void;
  fail(error: unknown): void;
}

/**
 * A channel's appends on this node: one batch in flight, everything that arrives meanwhile goes into the next one.
 * What was committed is told (`onCommitted`) before those who asked for it are answered.
 */
export class AppendQueue {
  readonly #log: Log;
  readonly #onCommitted: (committed: Committed) => void;
  readonly #onUncertain: () => void;
  readonly #birth: () => string;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #inFlight = false;

  /**
   * @param onUncertain the log holds, or may hold, events of which this node was not told in a commit of its own
   * @param birth gives a random epoch. Asked for each batch: a batch whose answer was lost may have brought the channel to
   *   life under it, and two lives must never have one name
   */
  constructor(log: Log, onCommitted: (committed: Committed) => void, onUncertain: () => void, birth: () => string) {
    this.#log = log;
    this.#onCommitted = onCommitted;
    this.#onUncertain = onUncertain;
    this.#birth = birth;
  }

  get busy(): boolean {
    return this.#inFlight || this.#waiting.length > 0;
  }

  /** @throws TandemError (by rejection) `overloaded`, or what the log rejected the batch with */
  push(append: Appending): Promise<AppendResult> {
    if (this.#waiting.length >= WAITING || this.#waitingBytes >= WAITING_BYTES) {
      return Promise.reject(errorOf("overloaded", { retryAfter: OVERLOAD_MS }));
    }
    return new Promise((settle, fail) => {
      this.#waiting.push({ append, settle, fail });
      this.#waitingBytes += bytesOf(append);
      if (!this.#inFlight) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#inFlight = true;
    // One frame may bring many publishes: the first of them waits for the others, and for no timer.
    await undefined;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, BATCH);
      this.#waiting = this.#waiting.slice(BATCH);
      for (const { append } of batch) this.#waitingBytes -= bytesOf(append);
      try {
        const birth = this.#birth();
        const results = await this.#log.append(batch.map(({ append }) => ({ ...append, birth })));
        const committed = collect(batch, results);
        if (committed) this.#onCommitted(committed);
        // Stored by an attempt whose answer was lost, on this node or another: nobody may have been told.
        if (results.some((result) => result.kind === "settled" && result.outcome.kind === "committed"))
          this.#onUncertain();
        for (const [at, result] of results.entries()) batch[at]?.settle(result);
      } catch (error) {
        this.#onUncertain();
        for (const waiting of batch) waiting.fail(error);
      }
    }
    this.#inFlight = false;
  }
}

function bytesOf(append: Appending): number {
  let bytes = 0;
  for (const event of append.events) bytes += event.data.length;
  return bytes;
}

/** The events of a batch. One transaction wrote them, one after the other: they are contiguous. */
function collect(batch: readonly Waiting[], results: readonly AppendResult[]): Committed | undefined {
  const events: LogEvent[] = [];
  let first: Extract<AppendResult, { kind: "committed" }> | undefined;
  for (const [at, result] of results.entries()) {
    const append = batch[at]?.append;
    // A model may have decided that nothing changes.
    if (result.kind !== "committed" || result.tags.length === 0 || !append) continue;
    first ??= result;
    const ids = idsOf(append);
    for (const [index, event] of append.events.entries()) {
      events.push({
        ...event,
        offset: result.offset + index,
        id: ids[index] as string,
        time: result.time,
        tag: result.tags[index] ?? "",
        run: result.offset,
      });
    }
  }
  return first && { epoch: first.epoch, from: first.offset - 1, tagBefore: first.tagBefore, events };
}
