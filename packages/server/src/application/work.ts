import type { JobState } from "@tandem/model";
import type { Answer, WorkOptions, WorkPorts } from "@tandem/model/work";
import { checkWorkOptions, JobWorker } from "@tandem/model/work";
import { TandemError } from "@tandem/protocol";
import type { Runtime } from "@tandem/runtime";
import type { Application } from "./application.ts";
import { Insistence } from "./insistence.ts";

/** Until the jobs are read again: whoever works on one that is cancelled should hear of it. */
const WAITS = { first: 100, longest: 1_000 };

/** A worker in the server's own process: see `Application.work`. It signals nothing between checkpoints, as it is no device that is present. */
export async function workOn(
  application: Application,
  channel: string,
  name: string,
  options: WorkOptions,
  runtime: Runtime,
): Promise<JobWorker> {
  checkWorkOptions(options);
  const model = application.model(channel, name);
  const first = await model.state();
  let state = first.state as JobState;
  let listener: () => void = () => undefined;
  const insistence = new Insistence(runtime, WAITS);
  const read = async () => {
    if (!insistence.stopped) state = (await model.state()).state as JobState;
  };
  /** Until it succeeds: the event that made it necessary may be the last one for long. */
  const refresh = async () => {
    const isRead = await insistence.on(read, (error) =>
      runtime.logger.warn({ error, channel, model: name, noise: "work" }, "the jobs of a channel could not be read"),
    );
    if (isRead) listener();
  };
  const stop = await application.subscribe(
    channel,
    {
      onEvents: (events) => (events.some(({ type }) => type.startsWith(`${name}.`)) ? refresh() : undefined),
      onReset: refresh,
    },
    first.position,
  );
  const ports: WorkPorts = {
    runtime,
    model: name,
    jobs: () => state,
    watch: (look) => {
      listener = look;
      return () => {
        insistence.stop();
        stop();
      };
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
