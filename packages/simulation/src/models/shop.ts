import type { Job } from "@tandem/model";
import type { Process } from "../process.ts";
import type { World } from "../world.ts";

/** One run of a worker's function, as the function itself sees it. */
export interface Run {
  /** `tenant/type:id`. */
  readonly channel: string;
  readonly job: Job;
  readonly process: Process;
  readonly signal: AbortSignal;
  readonly at: number;
  ended: boolean;
}

/** What happens on the floor of a workshop: which jobs are being worked on, by whom, and who was told to stop. */
export class Shop {
  readonly #world: World;
  readonly #runs: Run[] = [];
  readonly #begun = new Map<string, Run>();

  constructor(world: World) {
    this.#world = world;
  }

  /** M20: a lease is one worker's, who begins once under it. */
  begin(run: Run): void {
    const { channel, job } = run;
    const key = `${channel} ${job.id} ${job.token} ${job.at}`;
    const before = this.#begun.get(key);
    // A restored past may give the same lease again.
    if (before && !this.#world.ledger.restorations.some(({ at }) => at >= before.at))
      this.#wrong(`${run.process.name} begins ${job.id} under the token ${job.token}, and ${before.process.name} has`);
    this.#begun.set(key, run);
    this.#runs.push(run);
    this.#world.tally.count("path", "job-begun");
    run.signal.addEventListener("abort", () => this.#world.tally.count("path", `job-stop.${stopOf(run)}`));
  }

  /** Those at work: their process is alive, and they have not ended. */
  get atWork(): readonly Run[] {
    return this.#runs.filter(({ ended, process }) => !ended && process.alive);
  }

  #wrong(text: string): void {
    this.#world.history.violate("M20", this.#world.clock.now, text);
  }
}

/** Why a run was told to stop: `cancelled`, `lost`, `closed`; `undefined`: it was not. */
export function stopOf({ signal }: Pick<Run, "signal">): string | undefined {
  if (!signal.aborted) return undefined;
  const { message } = signal.reason as DOMException;
  return ["cancelled", "lost"].find((why) => message.includes(why)) ?? "closed";
}
