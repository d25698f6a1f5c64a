import type { Runtime, Timer } from "@tandem/runtime";
import { nameOf, tenantOf } from "../log/key.ts";
import type { Deadline, ModelLog } from "../log/model-log.ts";
import type { Application } from "./application.ts";
import { run } from "./errand.ts";

/** The earliest deadlines are looked at this often, in milliseconds: those of a node that has died are learnt so. */
const LOOK_MS = 5_000;

/** Deadlines of one look, and most that are seen to at a time. */
const AT_ONCE = 64;

/** A node waits up to so many milliseconds more, by chance: mostly another has acted before, and nothing is left to do. */
const SPREAD_MS = 100;

/** What could not be seen to is tried again after this, in milliseconds. */
const RETRY_MS = 5_000;

export interface DeadlinesPorts {
  readonly log: ModelLog;
  readonly runtime: Runtime;
  application(tenant: string): Application;
}

/**
 * Has models act when their deadlines pass, also when nobody is connected and after a restart. Every node looks; that a deadline takes effect
 * once is held by what the append expects.
 */
export class Deadlines {
  readonly #ports: DeadlinesPorts;
  /** Those that are being seen to, that failed, or that seem to be over, by their row: until when they are left alone. */
  readonly #busy = new Map<string, number>();
  /** Those of them that seemed to be over: if they still stand after a while, the row says what the state does not. */
  readonly #over = new Set<string>();
  #timer: Timer | undefined;
  /** When the next look is due, in `elapsed` time. */
  #nextAt = Number.NEGATIVE_INFINITY;
  #stopped = false;

  constructor(ports: DeadlinesPorts) {
    this.#ports = ports;
  }

  start(): void {
    void this.#look();
  }

  /** A model of this node is to act at this time, in milliseconds since 1970. */
  note(at: number): void {
    const { runtime } = this.#ports;
    const wait = Math.max(0, at - runtime.now());
    if (runtime.elapsed() + wait < this.#nextAt) this.#lookIn(wait);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  async #look(): Promise<void> {
    const { log, runtime } = this.#ports;
    let wait = LOOK_MS;
    try {
      const earliest = await log.deadlines(AT_ONCE + this.#busy.size);
      const now = runtime.now();
      const standing = new Set(earliest.map(rowOf));
      for (const row of this.#over) if (!standing.has(row)) this.#over.delete(row);
      for (const [row, until] of this.#busy) if (until < runtime.elapsed()) this.#busy.delete(row);
      for (const deadline of earliest) {
        if (this.#busy.size >= AT_ONCE) break;
        if (this.#busy.has(rowOf(deadline))) continue;
        if (deadline.at <= now) void this.#see(deadline);
        else {
          wait = Math.min(wait, deadline.at - now);
          break;
        }
      }
    } catch (error) {
      runtime.logger.warn({ error, noise: "deadlines" }, "deadlines could not be read");
    }
    this.#lookIn(wait + runtime.random() * Math.min(SPREAD_MS, wait));
  }

  #lookIn(wait: number): void {
    const { runtime } = this.#ports;
    if (this.#stopped) return;
    this.#timer?.cancel();
    this.#nextAt = runtime.elapsed() + wait;
    this.#timer = runtime.timer(wait, () => {
      this.#nextAt = Number.NEGATIVE_INFINITY;
      void this.#look();
    });
  }

  async #see(deadline: Deadline): Promise<void> {
    const { runtime } = this.#ports;
    const row = rowOf(deadline);
    this.#busy.set(row, Number.POSITIVE_INFINITY);
    try {
      const application = this.#ports.application(tenantOf(deadline.channel));
      const channel = nameOf(deadline.channel);
      const model = application.model(channel, deadline.model);
      const due = await model.due();
      if (this.#over.has(row) || (due !== undefined && due.at <= runtime.now())) {
        const errand = due && due.at <= runtime.now() ? due.errand : undefined;
        if (!errand || (await run(errand, application, channel, runtime.logger))) {
          // This deadline alone: another node, or this one, may have acted meanwhile, and the next one may have an errand of its own.
          await model.elapse(due?.at ?? deadline.at);
        }
        this.#busy.delete(row);
        // There may be more that is due: what did not fit in one decision.
        this.note(runtime.now() + SPREAD_MS);
      } else {
        this.#over.add(row);
        this.#busy.set(row, runtime.elapsed() + RETRY_MS);
      }
    } catch (error) {
      runtime.logger.warn(
        { error, channel: deadline.channel, model: deadline.model },
        "a deadline could not be seen to",
      );
      this.#busy.set(row, runtime.elapsed() + RETRY_MS);
    }
  }
}

function rowOf({ channel, model, at }: Deadline): string {
  return `${channel} ${model} ${at}`;
}
