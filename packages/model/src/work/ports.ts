import type { Runtime } from "@tandem/runtime";
import type { job } from "../job/jobs.ts";
import type { JobTicks } from "../job/progress.ts";
import type { JobState } from "../job/state.ts";
import type { CommandInput, CommandName } from "../model.ts";

export type Jobs = ReturnType<typeof job>;

/** What became of a worker's command. */
export type Answer =
  | { readonly kind: "done" }
  /** For good. `code`: the model's reason, or the error's code. `after`: not before so many milliseconds. */
  | { readonly kind: "refused"; readonly code: string; readonly after?: number | undefined }
  /** It cannot be told whether it took effect. */
  | { readonly kind: "unknown" };

/** What a worker takes from where it works: a client, or the server's own process. */
export interface WorkPorts {
  readonly runtime: Runtime;
  /** The model's name in the channel. */
  readonly model: string;
  /** The jobs as far as they are known here; `undefined`: not yet. What was claimed is shown when it is certain. */
  jobs(): JobState | undefined;
  /** Calls `listener` after each change of the jobs. @returns the call that ends it */
  watch(listener: () => void): () => void;
  /** Commands take effect in the order in which they are sent. */
  send<N extends CommandName<Jobs>>(command: N, input: CommandInput<Jobs, N>): Promise<Answer>;
  /** Signals how far jobs are, those of this worker; `undefined`: there is nothing to signal any more. */
  tick(ticks: JobTicks | undefined): void;
}
