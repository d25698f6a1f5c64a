import type { Model } from "@tandem/client";
import type { ReasonOf } from "@tandem/model";
import type { Store } from "@tandem/runtime";
import { Cell } from "@tandem/runtime";
import type { NameOf } from "../people/names.ts";
import type { jobs } from "../room-models.ts";
import type { Refusal, Stage } from "../tools/commands.ts";
import { Commands } from "../tools/commands.ts";
import type { ToolStatus } from "../tools/tool-status.ts";
import { readState } from "../tools/tool-status.ts";
import { watch } from "../tools/watch.ts";
import type { JobRow } from "./job-row.ts";
import { jobRow } from "./job-row.ts";
import { roomOf } from "./word-count.ts";

/** What the page shows of a room's jobs. The same object until something changes. */
export interface JobsView {
  readonly status: ToolStatus;
  /** The newest first. */
  readonly rows: readonly JobRow[];
  /** How far an own job is that the server has not taken yet. */
  readonly starting: Stage | undefined;
  readonly refusals: readonly Refusal[];
}

export interface JobsOptions {
  /** Of the desk at which the jobs of all rooms are given out. */
  readonly model: Model<typeof jobs>;
  readonly room: string;
  readonly names: Store<NameOf>;
}

const STARTING = "start";

/** What the server's worker does for a room. Knows no page and no React. */
export class Jobs implements Store<JobsView> {
  readonly #options: JobsOptions;
  readonly #commands = new Commands<ReasonOf<typeof jobs>>(jobRefusal);
  readonly #view: Cell<JobsView>;
  readonly #end: () => void;

  constructor(options: JobsOptions) {
    this.#options = options;
    this.#view = new Cell(this.#seen());
    this.#end = watch([options.model.state, options.names, this.#commands], () => this.#view.set(this.#seen()));
  }

  get = (): JobsView => this.#view.get();

  subscribe = (listener: () => void): (() => void) => this.#view.subscribe(listener);

  /** Has the words of the room's messages counted. */
  countWords(): void {
    const { model, room } = this.#options;
    const sent = model.send("start", { title: "Count the words", input: { room } });
    this.#commands.track(sent, { about: STARTING, what: "Counting the words" });
  }

  cancel(id: string): void {
    const sent = this.#options.model.send("cancel", { job: id });
    this.#commands.track(sent, { about: id, what: "Cancelling the job" });
  }

  dismiss = (key: string): void => this.#commands.dismiss(key);

  get unfinished(): boolean {
    return this.#commands.unfinished;
  }

  end(): void {
    this.#end();
    this.#options.model.close();
  }

  #seen(): JobsView {
    const { model, room, names } = this.#options;
    const { status, value } = readState(model.state.get());
    const { stages, refusals } = this.#commands.get();
    const found = value ? [...value.jobs.values()].filter(({ input }) => roomOf(input) === room) : [];
    found.sort((a, b) => b.at - a.at || (a.id < b.id ? 1 : -1));
    return {
      status,
      rows: found.map((job) => jobRow(job, names.get(), stages.get(job.id))),
      starting: stages.get(STARTING),
      refusals,
    };
  }
}

function jobRefusal(reason: ReasonOf<typeof jobs>): string {
  switch (reason.code) {
    case "too-many-open":
      return `${reason.most} jobs wait already.`;
    case "exists":
      return "It has been started already.";
    case "unknown-job":
      return "The job is not there any more.";
    case "ended":
      return "It was over by then.";
    case "not-yours":
      return "It is not yours.";
    case "nothing-waiting":
    case "stale-lease":
    case "too-soon":
      return "Only its worker may do that.";
  }
}
