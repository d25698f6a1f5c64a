import type { JobState } from "@tandem/model";
import type { Answer, WorkOptions, WorkPorts } from "@tandem/model/work";
import { JobWorker } from "@tandem/model/work";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Application } from "./application.ts";

/** A worker in the server's own process: see `Application.work`. It signals nothing between checkpoints, as it is no device that is present. */
export async function workOn(
  application: Application,
  channel: string,
  name: string,
  options: WorkOptions,
  runtime: Runtime,
): Promise<JobWorker> {
  const model = application.model(channel, name);
  let state = (await model.state()).state as JobState;
  const listeners = new Set<() => void>();
  const refresh = async () => {
    try {
      state = (await model.state()).state as JobState;
    } catch (error) {
      // The next event brings it; what is held here is given up by its lease.
      runtime.logger.warn({ error, channel, model: name, noise: "work" }, "the jobs of a channel could not be read");
    }
    for (const listener of listeners) listener();
  };
  const stop = await application.subscribe(channel, {
    onEvents: (events) => (events.some(({ type }) => type.startsWith(`${name}.`)) ? refresh() : undefined),
    onReset: refresh,
  });
  const ports: WorkPorts = {
    runtime,
    model: name,
    jobs: () => state,
    watch: (listener) => {
      listeners.add(listener);
      return stop;
    },
    send: (command, input) => model.command(command, input).then(() => ({ kind: "done" }), answerOf),
    tick: () => undefined,
  };
  return new JobWorker(ports, options);
}

function answerOf(error: unknown): Answer {
  if (!(error instanceof TandemError) || error.retryable) return { kind: "unknown" };
  const { code = error.code, after }: { code?: string; after?: number } = error.reason ?? {};
  return { kind: "refused", code, after };
}
